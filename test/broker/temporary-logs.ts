/** @file File logs in temporary directories, closed and removed after each test; and plain ways to fill and read them. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { FileLog } from '../../src/broker/file-log/file-log.ts'
import { openFileLog } from '../../src/broker/file-log/file-log.ts'
import type { FileLogOptions } from '../../src/broker/options.ts'
import type { OutgoingRecord, TopicLog } from '../../src/broker/topic-log.ts'

/** What a test file uses to make logs. */
export interface TemporaryLogs {
  directory(): string
  open(options: FileLogOptions): Promise<FileLog>
}

/** Call once at the top of a test file. */
export function temporaryLogs(): TemporaryLogs {
  const directories: string[] = []
  const logs: FileLog[] = []
  afterEach(async () => {
    for (const log of logs.splice(0)) await log.close()
    for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true })
  })
  return {
    directory() {
      const path = mkdtempSync(join(tmpdir(), 'millrace-log-'))
      directories.push(path)
      return path
    },
    async open(options) {
      const log = await openFileLog(options)
      logs.push(log)
      return log
    },
  }
}

/** A record of two short texts. */
export function textRecord(key: string, value: string, timestampMs = 0): OutgoingRecord {
  return { key: Buffer.from(key), value: Buffer.from(value), timestampMs }
}

/** Offset, key and value of every record of partition 0, read 3 at a time from `offset` on. */
export async function textsOf(
  log: TopicLog,
  topic: string,
  offset = 0,
): Promise<[number, string, string][]> {
  const texts: [number, string, string][] = []
  for (let next = offset; ; ) {
    const [batch] = await log.read([{ topic, partition: 0, offset: next }], 3)
    if (batch === undefined) return texts
    for (const record of batch.records) {
      const [key, value] = [record.key, record.value].map((bytes) => Buffer.from(bytes).toString())
      texts.push([record.offset, key ?? '', value ?? ''])
    }
    next = batch.nextOffset
  }
}

/** Paths of the segments of partition 0, oldest first. */
export function segmentsOf(root: string, topic: string): string[] {
  const directory = join(root, topic, '0')
  const names = readdirSync(directory).filter((name) => name.endsWith('.segment'))
  return names.sort().map((name) => join(directory, name))
}
