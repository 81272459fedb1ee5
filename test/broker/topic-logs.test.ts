import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FileLog } from '../../src/broker/file-log/file-log.ts'
import { openFileLog } from '../../src/broker/file-log/file-log.ts'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import type { FileLogOptions } from '../../src/broker/options.ts'
import type { TopicLogUnderTest } from '../contracts/topic-log.contract.ts'
import { topicLogContract } from '../contracts/topic-log.contract.ts'

topicLogContract('memory-log', { durable: false }, async () => {
  const log = new MemoryLog()
  return { log, dispose: () => log.close() }
})

topicLogContract('file-log', { durable: true }, () => fileLog({}))

// Every append of a few records fills a segment, so reads, bounds and reopening go across many files.
topicLogContract('file-log with tiny segments, synced always', { durable: true }, () =>
  fileLog({ segmentBytes: 500, fsync: 'always' }),
)

async function fileLog(options: Partial<FileLogOptions>): Promise<TopicLogUnderTest> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-log-'))
  const opened: FileLog[] = []
  const open = async (): Promise<FileLog> => {
    const log = await openFileLog({ ...options, path })
    opened.push(log)
    return log
  }
  return {
    log: await open(),
    reopen: async () => {
      await opened.at(-1)?.close()
      return open()
    },
    dispose: async () => {
      for (const log of opened) await log.close()
      await rm(path, { recursive: true })
    },
  }
}
