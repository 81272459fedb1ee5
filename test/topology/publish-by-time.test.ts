/** @file Versions that the wall clock asks for: journalled before they take effect, so a later life makes the same ones. */

import { cpSync } from 'node:fs'
import { lastValueFrom, take } from 'rxjs'
import { expect, test } from 'vitest'
import { openFileLog } from '../../src/broker/file-log/file-log.ts'
import type { Report } from '../../src/observe/report.ts'
import type { Job } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import type { Clock } from '../../src/time.ts'
import { learnerEpochs } from '../../topology/learner.ts'
import { WHOLE_JOB } from '../../topology/learner-role.ts'
import { openLearner } from '../../topology/open-learner.ts'
import { produceWorld, smallJob, temporaryFolder } from './temporary-job.ts'

const EPOCHS = 18

/** A small job where the sample count never asks for a version and the clock does three times a second. */
function timedJob(folder: string): Job {
  const job = smallJob(folder)
  return {
    ...job,
    publish: { ...job.publish, every_samples: 1_000_000, every_ms: 300 },
    train: { ...job.train, epoch_records: 40, checkpoint_every_records: 1_000_000 },
  }
}

/** A clock that moves by so much whenever somebody looks. */
function movingClock(stepMs: number): Clock {
  let now = 1_800_000_000_000
  return {
    now: () => {
      now += stepMs
      return now
    },
  }
}

/** Some epochs of the job in `folder`; gives what was published and the state after them. */
async function someEpochs(
  job: Job,
  clock: Clock,
  epochs: number,
): Promise<{ versions: string[]; state: string }> {
  const log = await openFileLog({ path: job.bus.kind === 'file' ? job.bus.path : '' })
  const reports: Report[] = []
  const engine = plainEngine('float32')
  const report = (one: Report): void => void reports.push(one)
  const learner = await openLearner({ job, log, engine, clock, role: WHOLE_JOB, report })
  await lastValueFrom(learnerEpochs(learner.run).pipe(take(epochs)))
  const versions = reports.flatMap((one) => (one.kind === 'published' ? [one.sha256] : []))
  const state = learner.run.stateHash()
  // Nothing is checkpointed by closing: the files are as a kill would leave them.
  await learner.close()
  await log.close()
  return { versions, state }
}

test('a version is due by the wall clock, and a later life with another clock publishes the same versions', async () => {
  const folder = temporaryFolder()
  const job = timedJob(folder)
  const log = await openFileLog({ path: `${folder}/bus` })
  await produceWorld(job, log, 3_000)
  await log.close()

  const first = await someEpochs(job, movingClock(70), EPOCHS)
  expect(first.versions.length).toBeGreaterThan(1)
  // No checkpoint, the journal with every epoch; and the topic without what was published.
  const copy = temporaryFolder()
  cpSync(`${folder}/state`, `${copy}/state`, { recursive: true })
  for (const topic of ['impressions', 'clicks', 'likes']) {
    cpSync(`${folder}/bus/${topic}`, `${copy}/bus/${topic}`, { recursive: true })
  }

  const frozen = { now: () => 1_900_000_000_000 }
  const second = await someEpochs(timedJob(copy), frozen, EPOCHS)
  expect(second.versions).toEqual(first.versions)
  expect(second.state).toBe(first.state)
})

test('without new samples the clock asks for nothing', async () => {
  const folder = temporaryFolder()
  const job = timedJob(folder)
  const run = await someEpochs(job, movingClock(5_000), 3)
  expect(run.versions).toEqual([])
})
