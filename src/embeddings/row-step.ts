/** @file One optimizer step on many rows of a table: here row by row, or by an engine's kernels, bit for bit the same. */

import type { RowBlock, RowKernels } from '../row-kernels.ts'
import type { ColumnGroup } from './columns.ts'
import { PAGE_BITS, PAGE_MASK } from './row-pages.ts'
import type { SparseOptimizer } from './sparse-optimizer.ts'

/** How far and with what a step goes; by default the whole learning rate, in JavaScript. */
export interface RowStep {
  readonly factor?: number
  readonly kernels?: RowKernels | undefined
}

/** The rows of a block. */
export function rowBlock(
  pages: readonly Float32Array[],
  recordWidth: number,
  { valueAt, stateAt, width }: ColumnGroup,
  rows: Int32Array,
  gradient: Float32Array,
): RowBlock {
  const places = { valueAt, stateAt, width }
  const moved = new Uint8Array(rows.length)
  return { pages, pageBits: PAGE_BITS, recordWidth, rows, ...places, gradient, moved }
}

/** Steps every row of the block whose gradient is not all zero. */
export function stepRows(
  optimizer: SparseOptimizer,
  block: RowBlock,
  { factor = 1, kernels }: RowStep,
): void {
  const adagrad = optimizer.adagradStep?.(factor)
  if (kernels !== undefined && adagrad !== undefined) {
    kernels.adagrad(block, adagrad)
    return
  }
  const { pages, recordWidth, rows, valueAt, stateAt, width, gradient, moved } = block
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (row < 0 || isZero(gradient, i * width, width)) continue
    const record = (row & PAGE_MASK) * recordWidth
    const page = pages[row >>> PAGE_BITS]!
    optimizer.step(page, record + valueAt, record + stateAt, width, gradient, i * width, factor)
    moved[i] = 1
  }
}

function isZero(gradient: Float32Array, at: number, width: number): boolean {
  for (let c = 0; c < width; c++) if (gradient[at + c] !== 0) return false
  return true
}
