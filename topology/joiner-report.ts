/** @file What a joiner tells of the shards that it holds: for metrics, log lines and the report at the end. */

import type { InputAccounting } from '../src/observe/accounting.ts'
import type { EpochReport, PartitionLag } from '../src/observe/report.ts'
import { type TopicResult, topicResults } from '../src/observe/run-report.ts'
import type { JoinerRun } from './joiner-run.ts'
import type { Shard } from './shard.ts'

/** The result of a joiner as JSON: what `--report FILE` writes. */
export interface JoinerReport {
  /** Shards that were held at the end. */
  readonly shards: readonly number[]
  /** By input topic, of these shards, since the start of the log. */
  readonly accounting: Readonly<Record<string, TopicResult>>
  /** Samples of these shards since the start of the log. */
  readonly samples: number
  /** Events read by this process, per second of its life. */
  readonly events_per_second: number
}

/** Everything since the start of the log, of the shards that are held: over all joiners it is everything. */
export function joinerReport(run: JoinerRun, eventsPerSecond: number): JoinerReport {
  const { shards } = run
  return {
    shards: shards.map(({ number }) => number),
    accounting: topicResults(accountingOf(shards)),
    samples: samplesOf(shards),
    events_per_second: Math.round(eventsPerSecond),
  }
}

/** The same for the registry. */
export async function joinerEpochReport({ shards }: JoinerRun): Promise<EpochReport> {
  const lag: PartitionLag[] = []
  for (const shard of shards) {
    const records = await shard.lag()
    for (const [input, { topic, partition }] of shard.positions.entries()) {
      lag.push({ topic, partition, records: records[input] ?? 0 })
    }
  }
  return {
    kind: 'epoch',
    accounting: accountingOf(shards),
    samples: samplesOf(shards),
    lag,
    watermark: Math.min(...shards.map(({ joiner }) => joiner.watermark)),
  }
}

function samplesOf(shards: readonly Shard[]): number {
  return shards.reduce((sum, { samples }) => sum + samples, 0)
}

function accountingOf(shards: readonly Shard[]): InputAccounting[] {
  const sums = new Map<string, InputAccounting>()
  for (const input of shards.flatMap(({ joiner }) => joiner.accounting())) {
    const sum = sums.get(input.topic)
    sums.set(input.topic, sum === undefined ? input : added(sum, input))
  }
  return [...sums.values()]
}

function added(a: InputAccounting, b: InputAccounting): InputAccounting {
  return {
    topic: a.topic,
    kind: a.kind,
    in: a.in + b.in,
    joined: a.joined + b.joined,
    erased: a.erased + b.erased,
    duplicates: a.duplicates + b.duplicates,
    late: addedByReason(a.late, b.late),
    orphans: a.orphans + b.orphans,
    deadLetters: addedByReason(a.deadLetters, b.deadLetters),
    open: a.open + b.open,
  }
}

function addedByReason(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sums: Record<string, number> = { ...a }
  for (const [reason, count] of Object.entries(b)) sums[reason] = (sums[reason] ?? 0) + count
  return sums
}
