/** @file What the stages know about labels that come late, put together for reports. */

import { lostShare } from '../src/join/delay-curve.ts'
import type { PredictionLog } from '../src/observe/prediction-log.ts'
import type { DelayedReport, LabelsReport } from '../src/observe/report.ts'
import type { Job } from '../src/settings/job.ts'
import type { JobStages } from './job-stages.ts'

/** The predictions made as impressions opened: with `fast` emission there are no others. */
export function delayedLog(stages: JobStages): PredictionLog {
  return stages.fast ? stages.predictions : stages.delayedPredictions
}

/** The figures of predictions at opening, and how labels come in. O(remembered impressions). */
export function labelReports(job: Job, stages: JobStages): (DelayedReport | LabelsReport)[] {
  const judged = stages.fast ? stages.progressive : stages.delayedProgressive
  return [{ kind: 'delayed', tasks: judged.quality() }, labelsReport(job, stages)]
}

function labelsReport(job: Job, { intake }: JobStages): LabelsReport {
  const health = intake.labelHealth
  const curves = intake.delayCurves()
  const tasks = job.join.tasks.flatMap(({ name, windowMs }, task) => {
    const one = health[task]
    const curve = curves[task]
    if (one === undefined || curve === undefined) return []
    return [{ ...one, task: name, lostShare: lostShare(curve, windowMs) }]
  })
  return { kind: 'labels', tasks }
}
