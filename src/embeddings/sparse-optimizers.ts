/** @file The list of sparse optimizers a job can name; a new one is its file and a line in each of these two places. */

import { z } from 'zod'
import { sparseAdagrad, sparseAdagradOptions } from './sparse-adagrad.ts'
import { sparseAdam, sparseAdamOptions } from './sparse-adam.ts'
import { sparseFtrl, sparseFtrlOptions } from './sparse-ftrl.ts'
import type { SparseOptimizer } from './sparse-optimizer.ts'

/** Settings of a sparse optimizer, told apart by `kind`. */
export const sparseOptimizerOptions = z.discriminatedUnion('kind', [
  sparseAdagradOptions,
  sparseAdamOptions,
  sparseFtrlOptions,
])

export type SparseOptimizerOptions = z.output<typeof sparseOptimizerOptions>

/** The optimizer that the options describe. */
export function sparseOptimizer(options: SparseOptimizerOptions): SparseOptimizer {
  switch (options.kind) {
    case 'adagrad':
      return sparseAdagrad(options)
    case 'adam':
      return sparseAdam(options)
    case 'ftrl':
      return sparseFtrl(options)
  }
}
