/** @file Labels, masks and weights of a batch of samples as typed arrays, task-major. */

import type { Sample } from '../samples/sample.ts'
import type { BatchLabels } from './encoded-batch.ts'

const NONE = new Uint8Array(0)

/** What each row teaches of `tasks` tasks. A label that teaches nothing is written as 0, so that nothing can leak through it. */
export function batchLabels(samples: readonly Sample[], tasks: number): BatchLabels {
  const { labels, mask } = masked(samples, tasks, (sample) => sample.learned)
  const weights = Float32Array.from(samples, (sample) => sample.weight)
  if (samples.some(({ logDrawRate }) => logDrawRate !== undefined)) {
    const logDrawRates = Float32Array.from(samples, ({ logDrawRate = 0 }) => logDrawRate)
    return { labels, mask, weights, logDrawRates }
  }
  const latePositive = Uint8Array.from(samples, ({ role }) => (role === 'late-positive' ? 1 : 0))
  if (!latePositive.includes(1)) return { labels, mask, weights }
  const unpaired = masked(samples, tasks, ({ role, learned, late }) =>
    role === 'late-positive' ? learned.map((one, task) => one & (1 - late[task]!)) : NONE,
  ).mask
  return { labels, mask, weights, latePositive, unpaired }
}

/** The labels that are known and final: what predictions are judged by. */
export function finalLabels(
  samples: readonly Sample[],
  tasks: number,
): Pick<BatchLabels, 'labels' | 'mask'> {
  return masked(samples, tasks, (sample) => sample.mask)
}

function masked(
  samples: readonly Sample[],
  tasks: number,
  maskOf: (sample: Sample) => Uint8Array,
): { labels: Float32Array; mask: Float32Array } {
  const rows = samples.length
  const labels = new Float32Array(tasks * rows)
  const mask = new Float32Array(tasks * rows)
  samples.forEach((sample, row) => {
    const known = maskOf(sample)
    for (let task = 0; task < tasks; task++) {
      if (known[task] !== 1) continue
      mask[task * rows + row] = 1
      labels[task * rows + row] = sample.labels[task]!
    }
  })
  return { labels, mask }
}
