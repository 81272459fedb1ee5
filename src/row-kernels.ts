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

/** Keys to find: where the index of a table and its records lie. */
export interface KeyBlock {
  /** Entries of the index, shard by shard (`KeyIndex`). */
  readonly shards: readonly Uint32Array[]
  /** Records as words, placed as in `RowBlock`; a record starts with its key. */
  readonly pages: readonly Uint32Array[]
  readonly pageBits: number
  readonly recordWidth: number
  readonly valueAt: number
  readonly width: number
  readonly hi: Uint32Array
  readonly lo: Uint32Array
  readonly count: number
  /** Written: -1 where a key has no row. */
  readonly rows: Int32Array
  /** Written at values[i * width ..] where key i has a row. */
  readonly values: Float32Array
}

/** Each gives the bytes that JavaScript gives: the optimizer of that name row by row, the index key by key. */
export interface RowKernels {
  /** Finds rows and copies their values; returns how many keys have none. */
  lookUp(block: KeyBlock): number
  adagrad(block: RowBlock, step: AdagradStep): void
}
