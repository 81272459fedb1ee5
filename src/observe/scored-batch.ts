/** @file A mini-batch that was scored by the model as it stood, before the model learned from it (law 1). */

/** Task-major: entry t * rows + i is task t of row i. The arrays may be longer than tasks * rows. */
export interface ScoredBatch {
  readonly rows: number
  readonly probabilities: Float32Array
  /** 0 or 1; meaningless where the mask is 0. */
  readonly labels: Float32Array
  /** Not 0 where the label is known. */
  readonly mask: ArrayLike<number>
}
