/** @file Masked binary cross-entropy per task: which rows count in a task's loss, and by how much (design sections 1 and 4). */

import type { BatchLabels } from '../features/encoded-batch.ts'
import type { CorrectedRows } from './corrected-loss.ts'

/** One task's share of a mini-batch. */
export interface TaskTarget extends CorrectedRows {
  readonly labels: Float32Array
  /** Mask times importance, length rows; 0 where the row teaches the task nothing. */
  readonly weights: Float32Array
  /** What the weighted sum of losses is divided by: max(1, sum of weights), so that L_t is a mean over labelled rows. */
  readonly normalizer: number
  /** At least one row has a label. */
  readonly active: boolean
}

/** Splits task-major labels into one target per task. */
export function taskTargets(batch: BatchLabels, tasks: number, rows: number): TaskTarget[] {
  const targets: TaskTarget[] = []
  for (let task = 0; task < tasks; task++) {
    const own = (all: Float32Array | undefined): Float32Array | undefined =>
      all?.slice(task * rows, (task + 1) * rows)
    const labels = batch.labels.slice(task * rows, (task + 1) * rows)
    const weights = new Float32Array(rows)
    let total = 0
    for (let row = 0; row < rows; row++) {
      const weight = batch.mask[task * rows + row]! * batch.weights[row]!
      weights[row] = weight
      total += weight
    }
    targets.push({
      labels,
      weights,
      latePositive: batch.latePositive,
      logDrawRates: batch.logDrawRates,
      unpaired: own(batch.unpaired),
      realNegative: own(batch.realNegative),
      normalizer: Math.max(1, total),
      active: total > 0,
    })
  }
  return targets
}
