/**
 * @file A row balancer at work: the task gradients of x, summed per embedding row, are combined row by row before the sparse
 * optimizer sees them. Only columns that all tasks train take part; STEM's task slices have one task each.
 */

import type { BalancerState } from '../balance/balancer.ts'
import type { RowBalancer } from '../balance/row-balancer.ts'
import type { EmbeddedBatch } from '../model/embedded-batch.ts'
import type { FloatArray } from '../tensors/engine.ts'
import { normOf } from './dense-step.ts'
import { notFinite, type StepNames } from './task-losses.ts'

/** What a row balancer keeps: numbers for the table, and, if it `remembers`, running norms beside each row of the batch. */
export interface RowMemory {
  readonly state: BalancerState
  readonly norms: Float32Array | undefined
}

/**
 * Replaces the gradients that `embedded` has collected for the shared columns; the table is not touched. `taskInputs`: by x, per
 * task, unscaled. NUMERIC when a combined gradient is not finite.
 */
export function balanceRows(
  balancer: RowBalancer,
  before: BalancerState,
  embedded: EmbeddedBatch,
  batch: { readonly taskInputs: readonly (FloatArray | undefined)[]; readonly names: StepNames },
): RowMemory {
  const { taskInputs, names } = batch
  const { distinct: rows, sharedWidth: width } = embedded
  const norms = balancer.remembers ? embedded.memory() : undefined
  const block = {
    gradients: embedded.sharedRows(taskInputs),
    rows,
    tasks: taskInputs.length,
    width,
    step: names.step,
    ...(norms === undefined ? {} : { norms }),
  }
  const out = new Float32Array(rows * width)
  const state = balancer.combine(block, before, out)
  if (!Number.isFinite(normOf([out]))) {
    throw notFinite(`${balancer.name} made a row gradient that is not finite at step ${names.step}`)
  }
  embedded.replaceShared(out)
  return { state, norms }
}
