/** @file Adagrad per column of a touched row; Duchi, Hazan and Singer 2011, diagonal form with additive epsilon. */

import { z } from 'zod'
import type { SparseOptimizer } from './sparse-optimizer.ts'

/** Settings of sparse Adagrad; the defaults are those of the sparse Adagrad that PyTorch has, with a CTR model's rate. */
export const sparseAdagradOptions = z.strictObject({
  kind: z.literal('adagrad'),
  learning_rate: z.number().positive().default(0.05),
  /** What every accumulator starts at; larger values make the first steps smaller. */
  initial_accumulator: z.number().nonnegative().default(0),
  epsilon: z.number().positive().default(1e-10),
})

export type SparseAdagradOptions = z.output<typeof sparseAdagradOptions>

/** n += g^2; w -= learning_rate g / (sqrt(n) + epsilon). State: n per column. */
export function sparseAdagrad(options: SparseAdagradOptions): SparseOptimizer {
  const { learning_rate: learningRate, initial_accumulator: initialAccumulator, epsilon } = options
  return {
    kind: 'adagrad',
    stateWidth: (width) => width,
    start(record, _valueAt, stateAt, width) {
      record.fill(initialAccumulator, stateAt, stateAt + width)
    },
    step(record, valueAt, stateAt, width, gradient, gradientAt) {
      for (let c = 0; c < width; c++) {
        const g = gradient[gradientAt + c]!
        const n = record[stateAt + c]! + g * g
        record[stateAt + c] = n
        record[valueAt + c] = record[valueAt + c]! - (learningRate * g) / (Math.sqrt(n) + epsilon)
      }
    },
  }
}
