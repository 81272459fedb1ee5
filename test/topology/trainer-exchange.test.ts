/** @file What two trainers owe each other beside weights: the exchange is trimmed, nothing waits for a version that never goes out, users are erased in both. */

import { lastValueFrom } from 'rxjs'
import { expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import { slotOf } from '../../src/embeddings/row-slot.ts'
import { allRows } from '../../src/embeddings/table-rows.ts'
import { ValueKeys } from '../../src/features/value-key.ts'
import { Follower } from '../../src/serve/follower.ts'
import { type Job, parseJob } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { followToEnd } from '../../topology/follow-topic.ts'
import type { JobStages } from '../../topology/job-stages.ts'
import { JoinerRun } from '../../topology/joiner-run.ts'
import { learnerEpochs } from '../../topology/learner.ts'
import { trainerRole } from '../../topology/learner-role.ts'
import { openLearner } from '../../topology/open-learner.ts'
import { toTheEnd } from './joiner-churn.ts'
import { frozenClock, jobText, produceWorld, temporaryFolder } from './temporary-job.ts'
import { appendTombstones, withTombstones } from './tombstones.ts'

const engine = plainEngine('float32')
const IMPRESSIONS = 2_000

function jobOf(change: (text: string) => string = (text) => text): Job {
  const folder = temporaryFolder()
  const text = jobText(folder).replace(
    'engine: plain',
    'engine: plain, exchange_ms: 5000, epoch_records: 100',
  )
  return parseJob(`${folder}/job.yaml`, change(text))
}

/** The job's log with its samples joined. */
async function joined(job: Job, more: (log: MemoryLog) => Promise<void> = async () => undefined) {
  const log = new MemoryLog()
  await produceWorld(job, log, IMPRESSIONS)
  await more(log)
  await toTheEnd(await JoinerRun.open({ job, log, clock: frozenClock, untilEnd: true }))
  return log
}

async function trainer(job: Job, log: MemoryLog, index: number): Promise<JobStages> {
  const role = trainerRole({ index, of: 2 })
  const clock = frozenClock
  const learner = await openLearner({ job, log, engine, clock, role, report: () => undefined })
  await learner.source.endHere()
  await lastValueFrom(learnerEpochs(learner.run))
  await learner.close()
  return learner.run.context.stages
}

function both(job: Job, log: MemoryLog): Promise<JobStages[]> {
  return Promise.all([1, 2].map((index) => trainer(job, log, index)))
}

async function followed(log: MemoryLog): Promise<Follower> {
  const follower = new Follower(engine)
  await followToEnd(log, 'model', openChunkCodec(), follower, 0, () => undefined)
  expect(follower.refusals.size).toBe(0)
  return follower
}

/** The slot of every row, by key. */
function slotsOf({ table }: JobStages): unknown {
  return Array.from(allRows(table), (row) => [table.keyOf(row).join(), slotOf(table, row)]).sort()
}

test('rounds that no trainer needs again leave the exchange, and one that needs them says so', async () => {
  const job = jobOf()
  const log = await joined(job)
  await both(job, log)
  for (const { earliest, latest } of await log.bounds('small.exchange')) {
    expect(earliest).toBeGreaterThan(latest / 4)
  }
  const forgetful = { ...job, train: { ...job.train, state: temporaryFolder() } }
  await expect(trainer(forgetful, log, 2)).rejects.toThrow(
    /small\.exchange\/\d does not have round \d+ any more/,
  )
}, 60_000)

test('with a trainer that publishes nothing no row waits for publication after a meeting', async () => {
  const job = jobOf()
  const [first, second] = await both(job, await joined(job))
  expect(first?.publisher.sequence).toBeGreaterThan(0)
  expect(second?.learner.samples).toBeGreaterThan(300)
  for (const table of [second!.table, ...second!.featureState.tables.values()]) {
    expect(table.used).toBeGreaterThan(0)
    expect([table.dirtyCount('publication'), table.removed.length]).toEqual([0, 0])
  }
}, 60_000)

test('slots may be published in types of their own: rows bring their slots to the others', async () => {
  const types = 'values: int8, slot_values: { user: float32, tags: float16 }'
  const job = jobOf((text) => text.replace('publish: {', `publish: { ${types},`))
  const log = await joined(job)
  const [first, second] = await both(job, log)
  expect(new Set(Array.from(allRows(first!.table), (row) => slotOf(first!.table, row))).size).toBe(
    3,
  )
  expect(slotsOf(first!)).toEqual(slotsOf(second!))
  const follower = await followed(log)
  expect(follower.model?.rows).toBe(first!.table.used)
}, 60_000)

test('a user that one trainer erases is gone from the others at the next meeting, and from followers', async () => {
  const user = 'u0'
  const job = jobOf(withTombstones)
  const log = await joined(job, (to) => appendTombstones(job, to, [{ user, after: 400_000 }]))
  const stages = await both(job, log)
  expect(stages.map(({ userErasure }) => userErasure?.users).sort()).toEqual([0, 1])
  const keys = new ValueKeys()
  const key = { hi: 0, lo: 0 }
  keys.write(user, keys.slotSeed('user'), key)
  for (const { table } of stages) expect(table.findOne(key.hi, key.lo)).toBe(-1)
  keys.write('u1', keys.slotSeed('user'), key)
  for (const { table } of stages) expect(table.findOne(key.hi, key.lo)).toBeGreaterThanOrEqual(0)
  const follower = await followed(log)
  expect(follower.model?.rows).toBe(stages[0]!.table.used)
}, 60_000)
