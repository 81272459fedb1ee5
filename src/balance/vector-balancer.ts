/** @file The contract of the few balancers that no Gram matrix can express: they keep gradient vectors (DB-MTL). */

import type { BalancerState } from './balancer.ts'

/** One step as a method sees it that needs the gradients themselves. P must be the same at every step: parameters. */
export interface TaskVectors {
  /** G, the task gradients at the shared parameters, row-major [T, P]; rows of inactive tasks are not read. */
  readonly gradients: Float32Array | Float64Array
  /** Task losses L_i, mean over labelled rows, length T. */
  readonly losses: Float64Array
  /** 1 where the task has at least one label in this batch. */
  readonly active: Uint8Array
  /** Steps taken before this one. */
  readonly step: number
}

/** A method that returns the combined gradient itself; otherwise under the rules of `Balancer`. */
export interface VectorBalancer {
  readonly name: string
  readonly needs: 'gradients'
  /** `length` is P. */
  init(tasks: number, length: number): BalancerState
  /** The combined gradient [P], freshly allocated, and the next state. */
  combine(vectors: TaskVectors, state: BalancerState): CombinedGradient
}

/** What a vector balancer returns. */
export interface CombinedGradient {
  readonly gradient: Float64Array
  readonly state: BalancerState
}
