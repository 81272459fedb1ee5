/** @file What joiners have left on the samples topic, and what the slow batch join says should be there. */

import type { LogRecord, TopicLog } from '../../src/broker/topic-log.ts'
import type { Decoded } from '../../src/events/event.ts'
import type { SampleSource } from '../../src/samples/sample-record.ts'
import type { Job } from '../../src/settings/job.ts'
import { decodeReads } from '../../topology/epoch-stages.ts'
import { eventInputs } from '../../topology/event-inputs.ts'
import { sampleCodec } from '../../topology/sample-inputs.ts'
import { batchJoin } from '../oracle/batch-join.ts'

/** A sample in a form in which two can be compared. */
export interface PlainSample {
  readonly role: string
  readonly id: string
  readonly key: string
  readonly maturedAt: number
  /** Of the tasks that are known or learned from. */
  readonly labels: Readonly<Record<string, number>>
}

/** A sample of the topic with its place. */
export interface WrittenSample extends PlainSample {
  readonly source: SampleSource
}

/** Every record of one partition. */
export async function recordsOf(log: TopicLog, topic: string, partition = 0): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  const bounds = (await log.bounds(topic)).find((one) => one.partition === partition)
  for (let offset = bounds?.earliest ?? 0; ; ) {
    const [batch] = await log.read([{ topic, partition, offset }], 5_000)
    if (batch === undefined) return records
    records.push(...batch.records)
    offset = batch.nextOffset
  }
}

/** The samples of every partition in the order of their offsets, copies included. */
export async function writtenSamples(job: Job, log: TopicLog): Promise<WrittenSample[][]> {
  const { topic } = job.samples
  const codec = sampleCodec(job)
  const partitions = (await log.topics()).get(topic) ?? 0
  const written: WrittenSample[][] = []
  for (let partition = 0; partition < partitions; partition++) {
    const records = await recordsOf(log, topic, partition)
    written.push(
      records.map(({ value }) => {
        const decoded = codec.decode(value)
        if (decoded.kind === 'malformed') throw new Error(decoded.reason)
        const { role, id, key, matured_at, labels, source } = decoded.value as {
          role: string
          id: string
          key: string
          matured_at: number
          labels: { task: string; value: number }[]
          source: SampleSource
        }
        return {
          role: role.replace('_', '-'),
          id,
          key,
          maturedAt: matured_at,
          labels: Object.fromEntries(labels.map(({ task, value }) => [task, value])),
          source,
        }
      }),
    )
  }
  return written
}

/** The first copy of every number: what a consumer keeps. */
export function withoutCopies(samples: readonly WrittenSample[]): WrittenSample[] {
  const kept: WrittenSample[] = []
  for (const sample of samples) if (sample.source.sequence === kept.length) kept.push(sample)
  return kept
}

/** For each shard, the samples of a batch join of its partitions; without rows that are only scored. */
export async function oracleSamples(job: Job, log: TopicLog): Promise<PlainSample[][]> {
  const inputs = await eventInputs(job, log)
  const shards = Math.max(...inputs.map(({ partition }) => partition)) + 1
  const { latenessMs, dedupe } = job.events
  const tasks = job.join.tasks.map(({ name }) => name)
  const expected: PlainSample[][] = []
  for (let shard = 0; shard < shards; shard++) {
    const own = inputs.filter(({ partition }) => partition === shard)
    const histories: Decoded[][] = []
    for (const input of own) {
      const { topic, partition } = input
      const records = await recordsOf(log, topic, partition)
      const epoch = { number: 0, reads: [], idle: [], finished: [], end: false }
      const batches = [{ topic, partition, records, nextOffset: records.length }]
      histories.push(decodeReads(own, { epoch, batches }))
    }
    const { samples } = batchJoin(histories, { latenessMs, dedupe, join: job.join })
    expected.push(
      samples.map(({ role, impression, maturedAt, labels, mask, learned }) => ({
        role,
        id: impression.id,
        key: impression.key,
        maturedAt,
        labels: Object.fromEntries(
          tasks.flatMap((name, task) =>
            mask[task] === 1 || learned[task] === 1 ? [[name, labels[task] ?? 0]] : [],
          ),
        ),
      })),
    )
  }
  return expected
}
