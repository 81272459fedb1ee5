/** @file Joiners and a trainer on one log do what one process does: the samples of the batch oracle, the versions of the whole job. */

import { expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import type { Report } from '../../src/observe/report.ts'
import type { Job } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { trainerRole } from '../../topology/learner-role.ts'
import { expectOracle } from './joiner-churn.ts'
import { learnWhole } from './learn-whole.ts'
import { joinAll } from './logged-samples.ts'
import { produceWorld, smallJob, temporaryFolder } from './temporary-job.ts'

const IMPRESSIONS = 1_500

function versionsOf(reports: readonly Report[]): string[] {
  return reports.flatMap((report) => (report.kind === 'published' ? [report.sha256] : []))
}

for (const emission of ['wait', 'staged', 'fast'] as const) {
  test(`one joiner and one trainer publish what one process publishes (${emission})`, async () => {
    const withEmission = (folder: string): Job => {
      const job = smallJob(folder)
      return { ...job, join: { ...job.join, emission } }
    }
    const whole = new MemoryLog()
    await produceWorld(withEmission(temporaryFolder()), whole, IMPRESSIONS)
    const engine = plainEngine('float32')
    const one = await learnWhole({ job: withEmission(temporaryFolder()), log: whole, engine })

    const parted = new MemoryLog()
    const job = withEmission(temporaryFolder())
    await produceWorld(job, parted, IMPRESSIONS)
    await joinAll(job, parted)
    expect(await expectOracle(job, parted)).toBe(0)

    const trained = await learnWhole({ job, log: parted, engine, role: trainerRole() })
    expect(trained.stages.learner.samples).toBe(one.stages.learner.samples)
    expect(versionsOf(trained.reports)).toEqual(versionsOf(one.reports))
    expect(versionsOf(one.reports).length).toBeGreaterThan(4)
  })
}
