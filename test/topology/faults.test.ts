/** @file Bad input and a full disk, on a whole learner: each ends in the documented state, and nothing good is lost. */

import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import type { LogRecord, OutgoingRecord, TopicLog } from '../../src/broker/topic-log.ts'
import { DEFAULT_MAX_RECORD_BYTES } from '../../src/broker/topic-rules.ts'
import { unaccounted } from '../../src/observe/accounting.ts'
import { type Random, randomFrom } from '../../src/random.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { AvroCodec } from '../../src/wire/avro-codec.ts'
import { loadSchema } from '../../src/wire/avro-schema.ts'
import { run, start } from './cli.ts'
import { learnWhole } from './learn-whole.ts'
import { boundedRun, copyOf, outcomeOf, recordsOf } from './outcome.ts'
import { produceWorld, smallJob, temporaryFolder } from './temporary-job.ts'
import { tightJob } from './tight-job.ts'

const SEED = Number(process.env.FAULT_SEED ?? 23)
const IMPRESSIONS = 1_500
const TOPICS = ['impressions', 'clicks', 'likes']

/** The records of a topic as they would be appended again. */
async function outgoing(log: TopicLog, topic: string): Promise<OutgoingRecord[]> {
  const partitions = (await log.topics()).get(topic) ?? 0
  const positions = Array.from({ length: partitions }, (_, partition) => ({
    topic,
    partition,
    offset: 0,
  }))
  const batches = await log.read(positions, 1_000_000)
  return batches.flatMap(({ partition, records }) =>
    records.map(({ key, value, timestampMs }) => ({ key, value, timestampMs, partition })),
  )
}

/** Bytes that are no event: noise, noise in a frame, a record that was cut off, a record and something more. */
function garbage(random: Random, good: Uint8Array): Uint8Array {
  const noise = Uint8Array.from({ length: random.integer(200) }, () => random.integer(256))
  switch (random.integer(4)) {
    case 0:
      return noise
    case 1:
      return Buffer.concat([good.subarray(0, 10), new Uint8Array(20).fill(0xff), noise])
    case 2:
      return good.subarray(0, random.integer(good.length))
    default:
      return Buffer.concat([good, Uint8Array.of(7), noise])
  }
}

interface Copied {
  readonly log: MemoryLog
  readonly inserted: number
}

/** A copy of the log in which other records stand between the good ones. */
async function withBetween(
  source: TopicLog,
  between: (record: OutgoingRecord) => Uint8Array | undefined,
): Promise<Copied> {
  const log = new MemoryLog()
  let inserted = 0
  for (const topic of TOPICS) {
    await log.createTopic({ topic, partitions: 2, cleanup: 'delete' })
    for (const record of await outgoing(source, topic)) {
      const value = between(record)
      if (value !== undefined) {
        inserted += 1
        await log.append(topic, [{ ...record, value }])
      }
      await log.append(topic, [record])
    }
  }
  return { log, inserted }
}

async function worldLog(): Promise<MemoryLog> {
  const log = new MemoryLog()
  await produceWorld(smallJob(temporaryFolder()), log, IMPRESSIONS)
  return log
}

/** What a learner makes of a log: versions, figures, dead letters. */
async function learned(log: MemoryLog) {
  const job = smallJob(temporaryFolder())
  const { reports, stages } = await learnWhole({ job, log, engine: plainEngine('float32') })
  const accounting = stages.intake.accounting()
  expect(accounting.map(unaccounted)).toEqual(accounting.map(() => 0))
  return {
    good: {
      versions: reports.flatMap((one) => (one.kind === 'published' ? [one.sha256] : [])),
      figures: stages.predictions.report(job.train.report_skip),
      joined: accounting.map(({ joined }) => joined),
    },
    undecodable: accounting.reduce((sum, { deadLetters }) => sum + deadLetters.undecodable, 0),
  }
}

describe('garbage on the event topics', () => {
  test(`of one record in twenty changes no sample, no figure and no version (seed ${SEED})`, async () => {
    const random = randomFrom(SEED)
    const clean = await worldLog()
    const { log, inserted } = await withBetween(clean, ({ value }) =>
      random.uniform() < 0.05 ? garbage(random, value) : undefined,
    )
    expect(inserted).toBeGreaterThan(IMPRESSIONS * 0.04)
    const expected = await learned(clean)
    const found = await learned(log)
    expect(found.good).toEqual(expected.good)
    expect(found.undecodable).toBe(expected.undecodable + inserted)
    expect(await deadLetters(log)).toHaveLength((await deadLetters(clean)).length + inserted)
  })

  test('of the size limit is a dead letter that fits, and says what was cut off', async () => {
    const clean = await worldLog()
    let left = 3
    const { log, inserted } = await withBetween(clean, ({ key }) =>
      left-- > 0 ? new Uint8Array(DEFAULT_MAX_RECORD_BYTES - key.length).fill(0x55) : undefined,
    )
    const expected = await learned(clean)
    expect((await learned(log)).good).toEqual(expected.good)
    const large = (await deadLetters(log)).filter(({ bytes }) => bytes.length > 100_000)
    expect(large).toHaveLength(inserted)
    for (const { bytes, detail } of large) {
      expect(bytes.length).toBeLessThan(DEFAULT_MAX_RECORD_BYTES)
      expect(bytes.every((byte) => byte === 0x55)).toBe(true)
      expect(detail).toMatch(new RegExp(`the first ${bytes.length} of \\d+ bytes`))
    }
  })
})

interface DeadLetter {
  readonly bytes: Uint8Array
  readonly detail: string
}

async function deadLetters(log: TopicLog): Promise<DeadLetter[]> {
  const codec = new AvroCodec({ schema: loadSchema('schemas/dead-letter.avsc') })
  const records: LogRecord[] = await recordsOf(log, 'small.dead-letter')
  return records.map(({ value }) => {
    const decoded = codec.decode(value)
    if (decoded.kind !== 'value') throw new Error(decoded.reason)
    return decoded.value as unknown as DeadLetter
  })
}

describe('a full disk', () => {
  const PRELOAD = 'test/topology/crash-at.mjs'
  /** Calls that change the disk at which it fills up; spread over a life. */
  const PLACES = Number(process.env.FULL_DISKS ?? 8)

  test(`at ${PLACES} places of a life stops the learner with the reason; with room again it ends as if there had been none`, async () => {
    const source = temporaryFolder()
    writeFileSync(`${source}/job.yaml`, tightJob(source))
    expect(await run(['produce', `${source}/job.yaml`, '--impressions', '150'])).toMatchObject({
      code: 0,
    })
    const calm = copyOf(source, tightJob)
    const count = `${calm}/count`
    const calmly = start(boundedRun(calm), {
      preload: PRELOAD,
      environment: { CRASH_COUNT: count },
    })
    expect(await calmly.ended).toMatchObject({ code: 0 })
    const expected = await outcomeOf(calm)
    const calls = Number(readFileSync(count, 'utf8'))
    for (let i = 0; i < PLACES; i++) {
      const call = 1 + Math.floor(((i + 0.5) * calls) / PLACES)
      const folder = copyOf(source, tightJob)
      const environment = { CRASH_AT: String(call), CRASH_WITH: 'ENOSPC' }
      const full = await start(boundedRun(folder), { preload: PRELOAD, environment }).ended
      expect(full, `call ${call}`).toMatchObject({ code: 6 })
      expect(full.stderr, `call ${call}`).toMatch(/^millrace: .*no space left on device/m)
      expect(full.stderr, `call ${call}`).toMatch(/room/)
      expect(full.stderr, `call ${call}`).not.toMatch(/^ +at /m)
      const resumed = await run(boundedRun(folder))
      expect(resumed, `after call ${call}: ${resumed.stderr}`).toMatchObject({ code: 0 })
      expect(await outcomeOf(folder), `after call ${call}`).toEqual(expected)
    }
  }, 300_000)
})
