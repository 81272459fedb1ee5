/** @file Labels, masks and weights of a batch of samples as typed arrays, task-major. */

import type { Sample } from '../samples/sample.ts'
import type { BatchLabels } from './encoded-batch.ts'

/** Collects the samples' labels for `tasks` tasks. An unknown label is written as 0, so that nothing can leak through it. */
export function batchLabels(samples: readonly Sample[], tasks: number): BatchLabels {
  const rows = samples.length
  const labels = new Float32Array(tasks * rows)
  const mask = new Float32Array(tasks * rows)
  const weights = new Float32Array(rows)
  samples.forEach((sample, row) => {
    weights[row] = sample.weight
    for (let task = 0; task < tasks; task++) {
      if (sample.mask[task] !== 1) continue
      mask[task * rows + row] = 1
      labels[task * rows + row] = sample.labels[task]!
    }
  })
  return { labels, mask, weights }
}
