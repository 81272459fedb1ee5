/**
 * @file Adagrad per column of a touched row; Duchi, Hazan and Singer 2011, diagonal form with additive epsilon. With a half-life its
 * accumulators forget, as a stream never ends: then it is RMSprop (Tieleman and Hinton 2012) without the factor 1 - keep.
 */

import { z } from 'zod'
import type { SparseOptimizer } from './sparse-optimizer.ts'

/** Settings of sparse Adagrad; the defaults are those of the sparse Adagrad that PyTorch has, with a CTR model's rate. */
export const sparseAdagradOptions = z.strictObject({
  kind: z.literal('adagrad'),
  learning_rate: z.number().positive().default(0.05),
  /** What every accumulator starts at; larger values make the first steps smaller. */
  initial_accumulator: z.number().nonnegative().default(0),
  epsilon: z.number().positive().default(1e-10),
  half_life_steps: z
    .number()
    .positive()
    .optional()
    .describe(
      'steps of a row after which a squared gradient counts half; left out: all count for ever',
    ),
})

export type SparseAdagradOptions = z.output<typeof sparseAdagradOptions>

/** n = keep n + g^2, keep = 2^(-1 / half-life) or 1; w -= learning_rate g / (sqrt(n) + epsilon). State: n per column. */
export function sparseAdagrad(options: SparseAdagradOptions): SparseOptimizer {
  const { learning_rate: learningRate, initial_accumulator: initialAccumulator, epsilon } = options
  const { half_life_steps: halfLife = Number.POSITIVE_INFINITY } = options
  const keep = 2 ** (-1 / halfLife)
  return {
    kind: 'adagrad',
    summable: keep === 1,
    stateWidth: (width) => width,
    start(record, _valueAt, stateAt, width) {
      record.fill(initialAccumulator, stateAt, stateAt + width)
    },
    step(record, valueAt, stateAt, width, gradient, gradientAt, factor) {
      const rate = learningRate * factor
      for (let c = 0; c < width; c++) {
        const g = gradient[gradientAt + c]!
        const n = keep * record[stateAt + c]! + g * g
        record[stateAt + c] = n
        record[valueAt + c] = record[valueAt + c]! - (rate * g) / (Math.sqrt(n) + epsilon)
      }
    },
    adagradStep: (factor) => ({ rate: learningRate * factor, epsilon, keep }),
  }
}
