/** @file The join alone from the embedded log, beside the floor of decoding: read, decode, de-duplicate, join, sample. */

import type { TopicLog } from '../../src/broker/topic-log.ts'
import type { Job } from '../../src/settings/job.ts'
import { openBus } from '../../topology/bus.ts'
import { eventInputs } from '../../topology/event-inputs.ts'
import type { Bench, BenchContext, Measured } from '../bench.ts'
import { median, takeTurns } from '../harness.ts'
import { versionOf } from '../machine.ts'
import { appendWorld, joinRate, simulatedJob } from '../simulated.ts'

const PARTITIONS = 2
const IMPRESSIONS = 400_000
const IMPRESSIONS_PER_SECOND = 200
const ROUNDS = 5
const READ = 10_000

export const joinLogBench: Bench = {
  name: 'join-log',
  summary: 'From the embedded log: read, decode, de-duplicate, join and sample, on one core.',
  peers: [],
  run: measure,
}

async function measure({ rounds = ROUNDS, folder, say }: BenchContext): Promise<Measured> {
  const job = simulatedJob({ bus: { kind: 'file', path: folder, partitions: PARTITIONS } })
  const log = await openBus(job.bus)
  try {
    const world = { impressions: IMPRESSIONS, impressions_per_second: IMPRESSIONS_PER_SECOND }
    const records = await appendWorld(job, log, world)
    say(`${records} records appended`)
    const values = await takeTurns(
      [
        { name: 'join', round: () => joinRate(job, log, records, say) },
        { name: 'read', round: () => readAll(job, log, false) },
        { name: 'decode', round: () => readAll(job, log, true) },
      ],
      { rounds },
    )
    const of = (side: string): readonly number[] => values.get(side) ?? []
    const unit = 'events/s'
    return {
      figures: [
        { label: 'join alone', unit, rounds: of('join'), better: 'higher', target: 500_000 },
        {
          label: 'join alone, beside reading and decoding by avsc',
          unit,
          rounds: of('join'),
          against: { name: 'read and decode', rounds: of('decode') },
          better: 'higher',
        },
      ],
      floors: [
        { label: 'read the log', value: median(of('read')), unit },
        { label: 'read the log and decode with avsc', value: median(of('decode')), unit },
      ],
      versions: { avsc: versionOf('avsc') },
      facts: {
        records,
        partitions: PARTITIONS,
        'impressions per second of event time': IMPRESSIONS_PER_SECOND,
      },
    }
  } finally {
    await log.close()
  }
}

/** The floor: every record read, with `decode` also decoded, and nothing done with it. */
async function readAll(job: Job, log: TopicLog, decode: boolean): Promise<number> {
  const inputs = await eventInputs(job, log)
  const started = performance.now()
  let count = 0
  for (const [index, input] of inputs.entries()) {
    const { topic, partition } = input
    for (let offset = 0; ; ) {
      const [batch] = await log.read([{ topic, partition, offset }], READ)
      if (batch === undefined) break
      if (decode) {
        for (const record of batch.records) {
          input.decode(record.value, { input: index, offset: record.offset })
        }
      }
      count += batch.records.length
      offset = batch.nextOffset
    }
  }
  return count / ((performance.now() - started) / 1000)
}
