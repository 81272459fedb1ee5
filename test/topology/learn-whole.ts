/** @file A learner over everything that a log holds, without any face. */

import { lastValueFrom } from 'rxjs'
import type { TopicLog } from '../../src/broker/topic-log.ts'
import type { Report } from '../../src/observe/report.ts'
import type { Job } from '../../src/settings/job.ts'
import type { Engine } from '../../src/tensors/engine.ts'
import { learnerEpochs } from '../../topology/learner.ts'
import { type LearnerRole, WHOLE_JOB } from '../../topology/learner-role.ts'
import { openLearner } from '../../topology/open-learner.ts'
import { frozenClock } from './temporary-job.ts'

export async function learnWhole({
  job,
  log,
  engine,
  role = WHOLE_JOB,
}: {
  job: Job
  log: TopicLog
  engine: Engine
  role?: LearnerRole
}) {
  const reports: Report[] = []
  const learner = await openLearner({
    job,
    log,
    engine,
    clock: frozenClock,
    role,
    report: (report) => reports.push(report),
  })
  try {
    await learner.source.endHere()
    await lastValueFrom(learnerEpochs(learner.run))
  } finally {
    await learner.close()
  }
  return { reports, run: learner.run, stages: learner.run.context.stages }
}
