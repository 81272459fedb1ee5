/** @file The contract of balancers that act on each touched embedding row by itself (PMTRec, MetaBalance per row). */

import type { BalancerState } from './balancer.ts'

/** Gradients or their combination: the embedding table's element type, or float64 in tests. */
export type FloatArray = Float32Array | Float64Array

/** The per-task gradients of the rows that a batch touched. A task that did not touch a row has zeros there. */
export interface RowBlock {
  /** Row-major [rows, T, width]. */
  readonly gradients: FloatArray
  readonly rows: number
  readonly tasks: number
  readonly width: number
  /** Steps taken before this one. */
  readonly step: number
  /**
   * Running gradient norms of these rows, row-major [rows, T], updated in place. Only for a method that `remembers`: its
   * caller keeps them beside the rows, zeros for a new row, as it does with optimizer slots.
   */
  readonly norms?: FloatArray
}

/** Combines a row's T gradients into one, in one loop over typed arrays; the state is a few numbers per table. */
export interface RowBalancer {
  readonly name: string
  /** Whether `RowBlock.norms` must be given. */
  readonly remembers: boolean
  init(): BalancerState
  /** Writes the combined gradients [rows, width] to `out`, every element; returns the next state. */
  combine(block: RowBlock, state: BalancerState, out: FloatArray): BalancerState
}
