/** @file Two trainers on disjoint partitions of the samples: the same weights in both, near those of one trainer of everything. */

import { join } from 'node:path'
import { lastValueFrom, take } from 'rxjs'
import { beforeAll, expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import { auc } from '../../src/observe/auc.ts'
import type { Sample } from '../../src/samples/sample.ts'
import type { Job } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import type { JobStages } from '../../topology/job-stages.ts'
import { joinWhole } from '../../topology/join-whole.ts'
import { joinerRounds } from '../../topology/joiner.ts'
import { JoinerRun } from '../../topology/joiner-run.ts'
import { learnerEpochs } from '../../topology/learner.ts'
import { trainerRole } from '../../topology/learner-role.ts'
import { type OpenLearner, openLearner } from '../../topology/open-learner.ts'
import { frozenClock, produceWorld, smallJob, temporaryFolder } from './temporary-job.ts'

/** How far the AUC of a task may lie from that of one trainer of everything. */
const DISTANCE = 0.01
const IMPRESSIONS = 8_000
const EXCHANGE_MS = 5_000

const engine = plainEngine('float32')
let log: MemoryLog
let samples: Sample[]

function jobIn(folder: string): Job {
  const job = smallJob(folder)
  const train = { ...job.train, exchange_ms: EXCHANGE_MS, epoch_records: 200 }
  return { ...job, bus: { ...job.bus, partitions: 4 }, train }
}

beforeAll(async () => {
  log = new MemoryLog()
  const job = jobIn(temporaryFolder(() => undefined))
  await produceWorld(job, log, IMPRESSIONS)
  const run = await JoinerRun.open({ job, log, clock: frozenClock, untilEnd: true })
  await lastValueFrom(joinerRounds(run))
  await run.close()
  samples = []
  const whole = await joinWhole(job, log, frozenClock)
  for await (const part of whole.outputs) samples.push(...part.samples)
  samples = samples.filter(({ role }) => role === 'final')
}, 60_000)

/** The log with topics of its own for everything that trainers write. */
async function freshLog(): Promise<MemoryLog> {
  const copy = new MemoryLog()
  await copy.createTopic({ topic: 'samples', partitions: 4, cleanup: 'delete' })
  for (let partition = 0; partition < 4; partition++) {
    const [batch] = await log.read([{ topic: 'samples', partition, offset: 0 }], 1_000_000)
    if (batch === undefined) continue
    await copy.append(
      'samples',
      batch.records.map((one) => ({ ...one, partition })),
    )
  }
  return copy
}

async function open(
  on: MemoryLog,
  folder: string,
  share?: { index: number; of: number },
): Promise<OpenLearner> {
  const role = trainerRole(share)
  const options = {
    job: jobIn(folder),
    log: on,
    engine,
    clock: frozenClock,
    report: () => undefined,
  }
  const learner = await openLearner({ ...options, role })
  await learner.source.endHere()
  return learner
}

async function finish(learner: OpenLearner): Promise<JobStages> {
  await lastValueFrom(learnerEpochs(learner.run))
  await learner.close()
  return learner.run.context.stages
}

/** Both of two trainers, to the end. */
async function two(on: MemoryLog): Promise<[JobStages, JobStages]> {
  const first = await open(on, temporaryFolder(), { index: 1, of: 2 })
  const second = await open(on, temporaryFolder(), { index: 2, of: 2 })
  return Promise.all([finish(first), finish(second)])
}

/** Of a task, over all samples. */
function aucOf({ encoder, learner }: JobStages, task: number): number {
  const scores = learner.score(encoder.encode(samples))
  const rows = samples.length
  const labels = Float32Array.from(samples, ({ labels }) => labels[task] ?? 0)
  return auc(scores.subarray(task * rows, (task + 1) * rows), labels) ?? Number.NaN
}

/** Every row by its key, and the dense weights. */
function weightsOf({ table, learner }: JobStages): unknown {
  const { width } = table.columns
  const rows = Array.from({ length: table.rows }, (_, row) => {
    return Buffer.from(table.record(row).subarray(0, 8 + 4 * width)).toString('hex')
  })
  return { rows: rows.sort(), dense: [...learner.parts.parameters.values] }
}

test(`two trainers end with one set of weights, within ${DISTANCE} AUC of one trainer of everything`, async () => {
  const whole = await finish(await open(await freshLog(), temporaryFolder()))
  const [first, second] = await two(await freshLog())
  expect(first.learner.samples + second.learner.samples).toBe(whole.learner.samples)
  expect(Math.min(first.learner.samples, second.learner.samples)).toBeGreaterThan(1_000)
  expect(weightsOf(first)).toEqual(weightsOf(second))
  for (const task of [0, 1]) {
    const [one, both] = [aucOf(whole, task), aucOf(first, task)]
    console.log(`task ${task}: AUC ${one.toFixed(4)} of one trainer, ${both.toFixed(4)} of two`)
    expect(Math.abs(both - one)).toBeLessThan(DISTANCE)
  }
  expect(first.publisher.sequence).toBeGreaterThan(2)
  expect(second.publisher.sequence).toBe(0)
}, 120_000)

test('a trainer that is killed and runs again meets the others as if nothing had been', async () => {
  const [calm] = await two(await freshLog())
  const on = await freshLog()
  const folder = join(temporaryFolder(), 'second')
  const first = await open(on, temporaryFolder(), { index: 1, of: 2 })
  const done = finish(first)
  for (const epochs of [3, 7, 12]) {
    const killed = await open(on, folder, { index: 2, of: 2 })
    await lastValueFrom(learnerEpochs(killed.run).pipe(take(epochs)))
    // No checkpoint, no farewell: only the lock goes, as when a process is gone.
    killed.close()
  }
  const second = await finish(await open(on, folder, { index: 2, of: 2 }))
  expect(weightsOf(await done)).toEqual(weightsOf(calm))
  expect(weightsOf(second)).toEqual(weightsOf(calm))
}, 120_000)

test('one trainer that was replaced and does not know is fenced at its next version', async () => {
  const on = await freshLog()
  const zombie = await open(on, temporaryFolder())
  await lastValueFrom(learnerEpochs(zombie.run).pipe(take(3)))
  const calm = await finish(await open(on, temporaryFolder()))
  await expect(finish(zombie)).rejects.toThrow(/trainer epoch 2, this is 1/)
  expect(calm.publisher.sequence).toBeGreaterThan(2)
}, 60_000)

test('a trainer that was replaced and does not know is fenced at its next exchange', async () => {
  const on = await freshLog()
  const first = finish(await open(on, temporaryFolder(), { index: 1, of: 2 }))
  const zombie = await open(on, temporaryFolder(), { index: 2, of: 2 })
  // Without a checkpoint: from then on a successor could not begin without its folder, as the exchange is trimmed.
  await lastValueFrom(learnerEpochs(zombie.run).pipe(take(2)))
  const successor = await open(on, temporaryFolder(), { index: 2, of: 2 })
  await expect(finish(zombie)).rejects.toThrow(/exchange\/1 was claimed by trainer-2-of-2/)
  const second = await finish(successor)
  expect(weightsOf(await first)).toEqual(weightsOf(second))
  const [calm] = await two(await freshLog())
  expect(weightsOf(second)).toEqual(weightsOf(calm))
}, 120_000)
