/** @file The live quality figures as they travel in a model update: plain JSON, null where a figure has no value. */

import type { Progressive } from '../src/observe/progressive.ts'
import type { UpdateHeader } from '../src/publish/update.ts'

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
