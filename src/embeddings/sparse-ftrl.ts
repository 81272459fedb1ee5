/** @file FTRL-proximal per coordinate of a touched row; McMahan et al. 2013 ("Ad click prediction"), algorithm 1. */

import { z } from 'zod'
import type { SparseOptimizer } from './sparse-optimizer.ts'

/** Settings of FTRL-proximal with the paper's symbols: alpha and beta set the rate, l1 sparsity, l2 shrinkage. */
export const sparseFtrlOptions = z.strictObject({
  kind: z.literal('ftrl'),
  alpha: z.number().positive().default(0.05),
  beta: z.number().nonnegative().default(1),
  l1: z.number().nonnegative().default(0),
  l2: z.number().nonnegative().default(0),
  /** What n starts at. */
  initial_accumulator: z.number().nonnegative().default(0),
})

export type SparseFtrlOptions = z.output<typeof sparseFtrlOptions>

/**
 * sigma = (sqrt(n + g^2) - sqrt(n)) / alpha; z += g - sigma w; n += g^2;
 * w = 0 where |z| <= l1, else -(z - sign(z) l1) / ((beta + sqrt(n)) / alpha + l2). State: z per column, then n.
 * The paper starts at w = 0. Here z starts where the closed form gives the initial value, so that rows may start
 * anywhere and an untrained row keeps its score. The closed form holds for one alpha: there is no factor on the learning rate.
 */
export function sparseFtrl(options: SparseFtrlOptions): SparseOptimizer {
  const { alpha, beta, l1, l2, initial_accumulator: initialAccumulator } = options
  const startRate = (beta + Math.sqrt(initialAccumulator)) / alpha + l2
  return {
    kind: 'ftrl',
    summable: true,
    stateWidth: (width) => 2 * width,
    start(record, valueAt, stateAt, width) {
      for (let c = 0; c < width; c++) {
        const w = record[valueAt + c]!
        record[stateAt + c] = w === 0 ? 0 : -w * startRate - Math.sign(w) * l1
        record[stateAt + width + c] = initialAccumulator
      }
    },
    step(record, valueAt, stateAt, width, gradient, gradientAt) {
      for (let c = 0; c < width; c++) {
        const g = gradient[gradientAt + c]!
        const n = record[stateAt + width + c]!
        const nextN = n + g * g
        const sigma = (Math.sqrt(nextN) - Math.sqrt(n)) / alpha
        const z = record[stateAt + c]! + g - sigma * record[valueAt + c]!
        record[stateAt + c] = z
        record[stateAt + width + c] = nextN
        const magnitude = Math.abs(z) - l1
        const rate = (beta + Math.sqrt(nextN)) / alpha + l2
        record[valueAt + c] = magnitude > 0 && rate > 0 ? (-Math.sign(z) * magnitude) / rate : 0
      }
    },
  }
}
