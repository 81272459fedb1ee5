/** @file The live quality figures as they travel in a model update (plain JSON, null where a figure has no value), and as the gate judges them. */

import type { Progressive } from '../src/observe/progressive.ts'
import type { GateEvidence } from '../src/publish/gate-checks.ts'
import type { UpdateHeader } from '../src/publish/update.ts'
import type { JobStages } from './job-stages.ts'

/** Per task over the live window. */
export function publicationMetrics(progressive: Progressive): UpdateHeader['metrics'] {
  return Object.fromEntries(
    progressive.quality().map(({ task, window }) => [
      task,
      {
        samples: window.samples,
        auc: window.auc ?? null,
        logloss: window.logloss ?? null,
        normalized_entropy: window.normalizedEntropy ?? null,
        calibration: window.calibrationRatio ?? null,
      },
    ]),
  )
}

/** Per task over the labelled samples since the last verdict. */
export function gateEvidence(stages: JobStages): GateEvidence {
  const { tasks, progressive, publisher, intake } = stages
  const silent = intake.labelHealth.filter(({ state }) => state === 'outage')
  const recent = progressive.recent(publisher.unjudgedSamples)
  return {
    tasks: recent.map(({ samples, positives, auc, normalizedEntropy, calibrationRatio }, t) => ({
      task: tasks[t] ?? '',
      samples,
      positives,
      auc,
      normalizedEntropy,
      calibration: calibrationRatio,
    })),
    outages: silent.map(({ task }) => task),
  }
}
