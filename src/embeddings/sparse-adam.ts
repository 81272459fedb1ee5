/** @file Lazy Adam for touched rows; Kingma and Ba 2015, algorithm 1, with t counted per row instead of per step. */

import { z } from 'zod'
import type { SparseOptimizer } from './sparse-optimizer.ts'

/** Settings of sparse Adam. */
export const sparseAdamOptions = z.strictObject({
  kind: z.literal('adam'),
  learning_rate: z.number().positive().default(0.001),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().default(1e-8),
})

export type SparseAdamOptions = z.output<typeof sparseAdamOptions>

/**
 * m and v of a row move only when the row is touched, and the bias correction counts the row's own touches: a rare id
 * then takes full first steps, where a global t would correct nothing and let it crawl. State: m, v per column, then t.
 * t is a float32 and stops at 2^24, when both corrections are 1 long since.
 */
export function sparseAdam(options: SparseAdamOptions): SparseOptimizer {
  const { learning_rate: learningRate, beta1, beta2, epsilon } = options
  return {
    kind: 'adam',
    summable: false,
    stateWidth: (width) => 2 * width + 1,
    start(record, _valueAt, stateAt, width) {
      record.fill(0, stateAt, stateAt + 2 * width + 1)
    },
    step(record, valueAt, stateAt, width, gradient, gradientAt, factor) {
      const rate = learningRate * factor
      const t = record[stateAt + 2 * width]! + 1
      record[stateAt + 2 * width] = t
      const firstCorrection = 1 - beta1 ** t
      const secondCorrection = 1 - beta2 ** t
      for (let c = 0; c < width; c++) {
        const g = gradient[gradientAt + c]!
        const m = beta1 * record[stateAt + c]! + (1 - beta1) * g
        const v = beta2 * record[stateAt + width + c]! + (1 - beta2) * g * g
        record[stateAt + c] = m
        record[stateAt + width + c] = v
        const change = (rate * (m / firstCorrection)) / (Math.sqrt(v / secondCorrection) + epsilon)
        record[valueAt + c] = record[valueAt + c]! - change
      }
    },
  }
}
