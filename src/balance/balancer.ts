/** @file The contract of a balancer: T task gradients in, through their Gram matrix and losses; T coefficients out. */

/** What a balancer sees of one step. Tasks without a label in the batch are not active and get coefficient 0. */
export interface TaskGradients {
  /** Task losses L_i, mean over labelled rows, length T. */
  readonly losses: Float64Array
  /**
   * Gram matrix M = G Gᵀ of the task gradients, row-major T x T, summed in float64 so that it is positive semi-definite to
   * float64 (`gramOf`); zeros when the balancer's `needs` is 'losses'.
   */
  readonly gram: Float64Array
  /** 1 where the task has at least one label in this batch. */
  readonly active: Uint8Array
  /** Steps taken before this one. */
  readonly step: number
}

/** Numbers only, JSON-serialisable: equal states are equal bytes. */
export type BalancerState = Readonly<Record<string, readonly number[]>>

/** Coefficients c: the combined gradient is sum_i c_i g_i of the unmodified task gradients. */
export interface Balanced {
  readonly coefficients: Float64Array
  readonly state: BalancerState
}

/**
 * One balancing method; a pure function of its arguments (state is data, randomness is seeded by state). An inactive task
 * drops out exactly: the method is solved for the active tasks alone and the state of the others is kept.
 */
export interface Balancer {
  readonly name: string
  /** 'losses': one backward pass is enough. 'gram': the learner must supply M. */
  readonly needs: 'losses' | 'gram'
  init(tasks: number): BalancerState
  coefficients(gradients: TaskGradients, state: BalancerState): Balanced
  /**
   * Present exactly when the method learns from what the step did (FAMO): the learner then runs one more forward pass of
   * the same batch with the stepped parameters and hands over its task losses, in the units of `losses`.
   */
  afterStep?(lossesAfter: Float64Array, state: BalancerState): BalancerState
}
