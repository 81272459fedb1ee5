/** @file The contract of the optimizers of table rows: state lives beside the row, a step touches one row. */

import type { AdagradStep } from '../row-kernels.ts'

/** Which optimizers a job can name. */
export type SparseOptimizerKind = 'adagrad' | 'adam' | 'ftrl'

/**
 * A step over `width` neighbouring columns of one row. Arguments are positional, because both calls sit in the hottest
 * loop of the learner. `record` holds values at `valueAt` and state at `stateAt`, which do not overlap.
 */
export interface SparseOptimizer {
  readonly kind: SparseOptimizerKind
  /** Whether its state is a sum over gradients, so that those of several trainers add up. */
  readonly summable: boolean
  /** Floats of state for `width` columns of a row. */
  stateWidth(width: number): number
  /** Writes the state of a row that has just got its initial values; the next step starts from those values. */
  start(record: Float32Array, valueAt: number, stateAt: number, width: number): void
  /** One step against the gradient, with `factor` times the learning rate; a row whose gradient is all zero must not be passed (its moments would decay). */
  step(
    record: Float32Array,
    valueAt: number,
    stateAt: number,
    width: number,
    gradient: Float32Array,
    gradientAt: number,
    factor: number,
  ): void
  /** The same step as constants, for kernels that know Adagrad; absent in another optimizer. */
  adagradStep?(factor: number): AdagradStep
}
