/** @file Dropping tasks out exactly: a method is solved on the sub-matrix of the tasks that take part, the rest get 0. */

import type { TaskGradients } from './balancer.ts'

/** A gradient norm at or below this is no gradient: it has no direction to align and nothing to divide by (papers.md 5). */
export const NORM_FLOOR = 1e-8

/** The tasks that take part, packed: n of them, in task order. */
export interface PackedTasks {
  readonly count: number
  /** Their positions among all tasks. */
  readonly indices: readonly number[]
  /** L_i, length n. */
  readonly losses: Float64Array
  /** M, row-major n x n. */
  readonly gram: Float64Array
}

/** Positions of the tasks with a label in this batch. */
export function activeIndices(active: Uint8Array): number[] {
  const indices: number[] = []
  for (let i = 0; i < active.length; i++) if (active[i] === 1) indices.push(i)
  return indices
}

/** The tasks with a label in this batch. */
export function activeTasks(gradients: TaskGradients): PackedTasks {
  return packed(gradients, activeIndices(gradients.active))
}

/** The active tasks whose gradient is above `NORM_FLOOR`, for methods that divide by each norm. */
export function movingTasks(gradients: TaskGradients): PackedTasks {
  const { gram, active } = gradients
  const tasks = active.length
  const moves = (i: number): boolean => Math.sqrt(gram[i * tasks + i]!) > NORM_FLOOR
  return packed(gradients, activeIndices(active).filter(moves))
}

/** The values of the packed tasks at their positions among all `tasks`, 0 elsewhere. */
export function spread(
  values: ArrayLike<number>,
  indices: readonly number[],
  tasks: number,
): Float64Array {
  const all = new Float64Array(tasks)
  indices.forEach((task, k) => {
    all[task] = values[k]!
  })
  return all
}

/** ||g_i|| of n packed tasks from the diagonal of their Gram matrix, not below `NORM_FLOOR`. */
export function normsOf(gram: Float64Array, count: number): Float64Array {
  const norms = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    norms[i] = Math.max(Math.sqrt(Math.max(gram[i * count + i]!, 0)), NORM_FLOOR)
  }
  return norms
}

function packed({ gram, losses, active }: TaskGradients, indices: readonly number[]): PackedTasks {
  const tasks = active.length
  const count = indices.length
  const sub = new Float64Array(count * count)
  indices.forEach((row, i) => {
    indices.forEach((column, j) => {
      sub[i * count + j] = gram[row * tasks + column]!
    })
  })
  return { count, indices, losses: Float64Array.from(indices, (task) => losses[task]!), gram: sub }
}
