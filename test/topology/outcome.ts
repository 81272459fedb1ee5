/** @file What a finished learner left behind, as values to compare: state, versions, side outputs. */

import { createHash } from 'node:crypto'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { openFileLog } from '../../src/broker/file-log/file-log.ts'
import type { LogRecord, TopicLog } from '../../src/broker/topic-log.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { temporaryFolder } from './temporary-job.ts'

export interface Outcome {
  readonly state: string
  readonly samples: number
  /** Version by version, the sha256 of its content; each once. */
  readonly versions: readonly string[]
  /** By side output. */
  readonly sides: Readonly<Record<string, SideOutcome>>
}

/** One side output: a record's key says where it came from, so that no key may be there twice. */
export interface SideOutcome {
  readonly records: number
  readonly doubled: number
  /** sha256 of the records in order. */
  readonly sha256: string
}

/** A fresh folder with a job and the bus as the producer left it. */
export function copyOf(source: string, text: (folder: string) => string): string {
  const folder = temporaryFolder()
  cpSync(`${source}/bus`, `${folder}/bus`, { recursive: true })
  writeFileSync(`${folder}/job.yaml`, text(folder))
  return folder
}

/** Arguments of a bounded run in such a folder. */
export function boundedRun(folder: string): string[] {
  return ['run', `${folder}/job.yaml`, '--exit', '--report', `${folder}/report.json`]
}

/** Reads the report and the topics of the job `small`; two contents of one version fail the test. */
export async function outcomeOf(folder: string): Promise<Outcome> {
  const log = await openFileLog({ path: `${folder}/bus`, access: 'read-only' })
  try {
    return await outcomeOn(log, folder)
  } finally {
    await log.close()
  }
}

/** The same for topics on any log; the report is in the folder. */
export async function outcomeOn(log: TopicLog, folder: string): Promise<Outcome> {
  const report = JSON.parse(readFileSync(`${folder}/report.json`, 'utf8'))
  const codec = openChunkCodec()
  const versions = new Map<number, string>()
  for (const { value } of await recordsOf(log, 'model')) {
    const decoded = codec.decode(value)
    if (decoded.kind !== 'chunk') throw new Error(decoded.reason)
    const { sequence, sha256 } = decoded.chunk
    expect(versions.get(sequence) ?? sha256, `version ${sequence} has one content`).toBe(sha256)
    versions.set(sequence, sha256)
  }
  return {
    state: report.state_sha256,
    samples: report.samples,
    versions: [...versions.values()],
    sides: await sideOutcomes(log),
  }
}

/** The side outputs of the job `small`. */
export async function sideOutcomes(log: TopicLog): Promise<Record<string, SideOutcome>> {
  const sides: Record<string, SideOutcome> = {}
  for (const side of ['dead-letter', 'late', 'orphan']) {
    sides[side] = sideOutcome(await recordsOf(log, `small.${side}`))
  }
  return sides
}

function sideOutcome(records: readonly LogRecord[]): SideOutcome {
  const hash = createHash('sha256')
  for (const { value } of records) hash.update(value)
  const keys = new Set(records.map(({ key }) => Buffer.from(key).toString()))
  return {
    records: records.length,
    doubled: records.length - keys.size,
    sha256: hash.digest('hex'),
  }
}

/** Every record of a topic with one partition. */
export async function recordsOf(log: TopicLog, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for (let offset = 0; ; ) {
    const [batch] = await log.read([{ topic, partition: 0, offset }], 1_000)
    if (batch === undefined) return records
    records.push(...batch.records)
    offset = batch.nextOffset
  }
}
