/** @file Law 2 for balancers with memory: a learner that was stopped and started again ends as one that was not. */

import { lastValueFrom, takeWhile } from 'rxjs'
import { expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { learnerEpochs } from '../../topology/learner.ts'
import { openLearner } from '../../topology/open-learner.ts'
import { frozenClock, produceWorld, smallJob, temporaryFolder } from './temporary-job.ts'

const SECTIONS = [
  'balance: { kind: famo }\nrow_balance: { kind: metabalance }',
  'balance: { kind: gradvac }\nrow_balance: { kind: pmtrec, relative_tau: true, row_decay: 0.9 }',
]

/** Reads about `records` records per life, some of them after the last checkpoint, until the stream ends. */
async function learn(sections: string, records: number): Promise<{ lives: number; hash: string }> {
  const job = smallJob(temporaryFolder(), sections)
  const log = new MemoryLog()
  await produceWorld(job, log, 700)
  for (let lives = 1; ; lives++) {
    const learner = await openLearner({
      job: { ...job, train: { ...job.train, epoch_records: 20, checkpoint_every_records: 200 } },
      log,
      engine: plainEngine('float32'),
      clock: frozenClock,
      report: () => undefined,
    })
    await learner.source.endHere()
    const stopAt = learner.run.records + records
    const last = await lastValueFrom(
      learnerEpochs(learner.run).pipe(takeWhile(() => learner.run.records < stopAt, true)),
    )
    const hash = learner.run.stateHash()
    await learner.close()
    if (last?.end === true) return { lives, hash }
  }
}

test.each(SECTIONS)('%s', async (sections) => {
  const whole = await learn(sections, Number.POSITIVE_INFINITY)
  const parts = await learn(sections, 300)
  expect(whole.lives).toBe(1)
  expect(parts.lives).toBeGreaterThan(3)
  expect(parts.hash).toBe(whole.hash)
})
