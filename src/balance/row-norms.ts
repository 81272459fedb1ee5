/** @file The loops that row balancers share: norms of every task's part of a row, their memory, and the weighted sum. */

import { MillraceError } from '../errors.ts'
import type { FloatArray, RowBlock } from './row-balancer.ts'

/** BAD_INPUT unless every array has the length that rows, tasks and width say. */
export function checkBlock(block: RowBlock, remembers: boolean, out: FloatArray): void {
  const { gradients, norms, rows, tasks, width } = block
  const wrong =
    gradients.length !== rows * tasks * width ||
    out.length !== rows * width ||
    (remembers && norms?.length !== rows * tasks)
  if (!wrong) return
  throw new MillraceError(
    'BAD_INPUT',
    `row block of ${rows} rows, ${tasks} tasks, width ${width} came with ${gradients.length} gradients, ` +
      `${norms?.length ?? 'no'} norms and room for ${out.length} results`,
    {
      remedy:
        'give [rows, T, width] gradients, [rows, width] room, and [rows, T] norms if it remembers',
    },
  )
}

/** ||g_t(e)||, row-major [rows, T]. */
export function rowNorms({ gradients, rows, tasks, width }: RowBlock): Float64Array {
  const norms = new Float64Array(rows * tasks)
  for (let at = 0; at < norms.length; at++) {
    let square = 0
    for (let p = at * width; p < (at + 1) * width; p++) square += gradients[p]! * gradients[p]!
    norms[at] = Math.sqrt(square)
  }
  return norms
}

/**
 * Moves the rows' remembered norms by this step's and returns them: m <- decay m + (1 - decay) n, starting at a task's first n.
 * A task without gradient on the row keeps what it had.
 */
export function recall(block: RowBlock, norms: Float64Array, decay: number): FloatArray {
  const memory = block.norms ?? new Float64Array(norms.length)
  for (let at = 0; at < norms.length; at++) {
    const norm = norms[at]!
    if (norm === 0) continue
    memory[at] = memory[at] === 0 ? norm : decay * memory[at]! + (1 - decay) * norm
  }
  return memory
}

/** out[row] = sum_t weights[row, t] g_t(row), every element written. */
export function mixRows(block: RowBlock, weights: Float64Array, out: FloatArray): void {
  const { gradients, rows, tasks, width } = block
  out.fill(0)
  for (let row = 0; row < rows; row++) {
    for (let t = 0; t < tasks; t++) {
      const weight = weights[row * tasks + t]!
      const from = (row * tasks + t) * width
      for (let p = 0; p < width; p++) out[row * width + p]! += weight * gradients[from + p]!
    }
  }
}
