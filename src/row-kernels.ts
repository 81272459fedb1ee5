/** @file What an engine may do with rows of an embedding table, which live in JavaScript's memory: both sides' words for it. */

/** Rows to step and where they lie: record of row r is words [(r mod 2^pageBits) recordWidth ..] of pages[r >> pageBits]. */
export interface RowBlock {
  readonly pages: readonly Float32Array[]
  readonly pageBits: number
  readonly recordWidth: number
  /** Distinct; a negative one is passed over. */
  readonly rows: Int32Array
  readonly valueAt: number
  readonly stateAt: number
  readonly width: number
  /** That of rows[i] at gradient[i * width ..]. */
  readonly gradient: Float32Array
  /** Written: 1 where a row was stepped, 0 where it was passed over or its gradient was all zero. */
  readonly moved: Uint8Array
}

/** Constants of one Adagrad step: n = keep n + g^2; w -= rate g / (sqrt(n) + epsilon), in float64. */
export interface AdagradStep {
  readonly rate: number
  readonly epsilon: number
  readonly keep: number
}

/** Each gives the bytes that the optimizer of that name gives row by row. */
export interface RowKernels {
  adagrad(block: RowBlock, step: AdagradStep): void
}
