/** @file Matrix products on typed arrays: packed operands and 2 x 4 tiles held in registers, about 4.5 GFLOP/s in V8. */

import type { Block, BlockStore } from './array-block.ts'
import { unaryKernels } from './array-elementwise.ts'
import type { Activation, FloatArray } from './engine.ts'
import type { ProductSize } from './kernel-shapes.ts'

/** `batch` such products stand behind one another. */
export interface BatchSize extends ProductSize {
  readonly batch: number
}

/** What a fused layer adds to a product. */
export interface LayerEnd {
  readonly bias: Block | undefined
  readonly activation: Activation | undefined
  readonly slope: number
}

/** The products of an array engine; results are new blocks. */
export interface Products {
  product(a: Block, b: Block, size: BatchSize): Block
  layer(x: Block, weight: Block, size: BatchSize, end: LayerEnd): Block
}

/** Where a matrix starts in its array and how far apart its rows and columns are. */
interface Strided {
  readonly values: FloatArray
  readonly start: number
  readonly rowStep: number
  readonly columnStep: number
}

/** The tile: eight accumulators, two and four operands fit the registers of x64 and arm64 (4 x 4 was no faster). */
const ROWS = 2
const COLUMNS = 4

/** Products in plain JavaScript. Keeps its packing room from call to call. */
export class TiledProducts implements Products {
  readonly #store: BlockStore
  #left: FloatArray
  #right: FloatArray

  constructor(store: BlockStore) {
    this.#store = store
    this.#left = this.#room(0)
    this.#right = this.#room(0)
  }

  product(a: Block, b: Block, size: BatchSize): Block {
    const { batch, m, k, n, transposeA, transposeB } = size
    const out = this.#store.allocate(batch * m * n)
    for (let i = 0; i < batch; i++) {
      const left = strided(a.values, i * m * k, m, k, transposeA)
      const right = strided(b.values, i * k * n, k, n, transposeB)
      if (m < ROWS || n < COLUMNS - 1) multiplyRows(out.values, i * m * n, left, right, size)
      else this.#multiply(out.values, i * m * n, left, right, size)
    }
    return out
  }

  layer(x: Block, weight: Block, size: BatchSize, end: LayerEnd): Block {
    const out = this.product(x, weight, size)
    finishLayer(out.values, end)
    return out
  }

  #multiply(
    out: FloatArray,
    start: number,
    left: Strided,
    right: Strided,
    { m, k, n }: ProductSize,
  ): void {
    const panels = Math.ceil(n / COLUMNS)
    const panel = k * COLUMNS
    if (this.#right.length < panels * panel) this.#right = this.#room(panels * panel)
    for (let j = 0; j < panels; j++) packColumns(this.#right, j * panel, right, j * COLUMNS, k, n)
    const height = Math.min(blockHeight(k), m + (m % ROWS))
    if (this.#left.length < height * k) this.#left = this.#room(height * k)
    for (let top = 0; top < m; top += height) {
      const bottom = Math.min(m, top + height)
      for (let i = top; i < bottom; i += ROWS) packRows(this.#left, (i - top) * k, left, i, m, k)
      const tile = { out, at: 0, n, rows: 0, columns: 0, left: this.#left, right: this.#right, k }
      for (let j = 0; j < panels; j++) {
        tile.columns = n - j * COLUMNS
        for (let i = top; i < bottom; i += ROWS) {
          tile.rows = m - i
          tile.at = start + i * n + j * COLUMNS
          multiplyTile(tile, (i - top) * k, j * panel)
        }
      }
    }
  }

  #room(size: number): FloatArray {
    return this.#store.dtype === 'float64' ? new Float64Array(size) : new Float32Array(size)
  }
}

/** Rows of the left operand packed at a time: about 64 kB of float32, so that they stay in the second-level cache. */
function blockHeight(k: number): number {
  return ROWS * Math.max(1, Math.floor(16_384 / (ROWS * k)))
}

function strided(
  values: FloatArray,
  start: number,
  rows: number,
  columns: number,
  isTransposed: boolean,
): Strided {
  return isTransposed
    ? { values, start, rowStep: 1, columnStep: rows }
    : { values, start, rowStep: columns, columnStep: 1 }
}

/** Four columns from `first` of a [k, n] matrix, interleaved row by row; columns beyond n are zeros. */
function packColumns(
  panel: FloatArray,
  at: number,
  { values, start, rowStep, columnStep }: Strided,
  first: number,
  k: number,
  n: number,
): void {
  const count = Math.min(COLUMNS, n - first)
  for (let c = 0; c < COLUMNS; c++) {
    let from = start + (first + c) * columnStep
    const end = at + k * COLUMNS
    if (c >= count) for (let q = at + c; q < end; q += COLUMNS) panel[q] = 0
    else for (let q = at + c; q < end; q += COLUMNS, from += rowStep) panel[q] = values[from]!
  }
}

/** Two rows from `first` of an [m, k] matrix, interleaved; a row beyond m is zeros. */
function packRows(
  panel: FloatArray,
  at: number,
  { values, start, rowStep, columnStep }: Strided,
  first: number,
  m: number,
  k: number,
): void {
  const end = at + ROWS * k
  const both = first + 1 < m
  let from = start + first * rowStep
  for (let p = at; p < end; p += ROWS, from += columnStep) {
    panel[p] = values[from]!
    panel[p + 1] = both ? values[from + rowStep]! : 0
  }
}

/** One tile's place in the result, and the packed operands; one object per block, moved from tile to tile. */
interface Tile {
  readonly out: FloatArray
  at: number
  readonly n: number
  rows: number
  columns: number
  readonly left: FloatArray
  readonly right: FloatArray
  readonly k: number
}

/** One 2 x 4 tile of the product: k outer products of packed vectors, accumulated in float64. */
function multiplyTile(
  { out, at, n, rows, columns, left, right, k }: Tile,
  leftStart: number,
  rightStart: number,
): void {
  let c00 = 0
  let c01 = 0
  let c02 = 0
  let c03 = 0
  let c10 = 0
  let c11 = 0
  let c12 = 0
  let c13 = 0
  const end = leftStart + ROWS * k
  for (let p = leftStart, q = rightStart; p < end; p += ROWS, q += COLUMNS) {
    const x = left[p]!
    const y = left[p + 1]!
    const b0 = right[q]!
    const b1 = right[q + 1]!
    const b2 = right[q + 2]!
    const b3 = right[q + 3]!
    c00 += x * b0
    c01 += x * b1
    c02 += x * b2
    c03 += x * b3
    c10 += y * b0
    c11 += y * b1
    c12 += y * b2
    c13 += y * b3
  }
  storeRow(out, at, columns, c00, c01, c02, c03)
  if (rows > 1) storeRow(out, at + n, columns, c10, c11, c12, c13)
}

/** Stores as many of four values as there are columns left. */
function storeRow(
  out: FloatArray,
  at: number,
  columns: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
): void {
  out[at] = c0
  if (columns > 1) out[at + 1] = c1
  if (columns > 2) out[at + 2] = c2
  if (columns > 3) out[at + 3] = c3
}

/** For few rows or columns: packing and filling up tiles would cost more than the product. */
function multiplyRows(
  out: FloatArray,
  start: number,
  left: Strided,
  right: Strided,
  { m, k, n }: ProductSize,
): void {
  const a = left.values
  const b = right.values
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let at = left.start + i * left.rowStep
      let bt = right.start + j * right.columnStep
      let sum = 0
      for (let p = 0; p < k; p++, at += left.columnStep, bt += right.rowStep) sum += a[at]! * b[bt]!
      out[start + i * n + j] = sum
    }
  }
}

/** Adds the bias to every row and applies the activation, in place; the usual pair in one pass. */
export function finishLayer(out: FloatArray, { bias, activation, slope }: LayerEnd): void {
  if (bias !== undefined && activation === 'relu') {
    addRowAndRelu(out, bias.values)
    return
  }
  if (bias !== undefined) addRow(out, bias.values)
  if (activation !== undefined) unaryKernels[activation](out, out, slope)
}

function addRow(out: FloatArray, row: FloatArray): void {
  for (let i = 0; i < out.length; ) for (let j = 0; j < row.length; j++, i++) out[i]! += row[j]!
}

function addRowAndRelu(out: FloatArray, row: FloatArray): void {
  for (let i = 0; i < out.length; ) {
    for (let j = 0; j < row.length; j++, i++) {
      const z = out[i]! + row[j]!
      out[i] = 0.5 * (z + Math.abs(z))
    }
  }
}
