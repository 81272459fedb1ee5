/** @file A mini-batch as typed arrays: what the learner and the scorer work on. */

/** 64-bit feature keys as two 32-bit halves, one per occurrence, slot by slot and row by row. */
export interface SlotKeys {
  readonly hi: Uint32Array
  readonly lo: Uint32Array
  /** For each row where its keys start; length rows + 1. A single-value slot has exactly one key per row, a history may have none. */
  readonly starts: Uint32Array
  readonly pooling: Pooling
  /** Of `history-attention`: the slot whose vector is the query. */
  readonly query?: number
}

/**
 * What is made of the vectors of a row's keys. Histories have no keys in some rows, which give zeros, and no part in the linear
 * weights: those of their items are for the item that is shown.
 */
export type Pooling = 'single' | 'mean' | 'sum' | 'history-mean' | 'history-attention'

/** Whether the keys of such a slot come from the stream. */
export function isHistory(pooling: Pooling): boolean {
  return pooling === 'history-mean' || pooling === 'history-attention'
}

/** Rows of features, encoded by the feature spec; index i of `slots` is slot i of the spec. */
export interface EncodedFeatures {
  readonly rows: number
  readonly slots: readonly SlotKeys[]
  /** Dense inputs, row-major rows x denseWidth. */
  readonly dense: Float32Array
  readonly denseWidth: number
}

/** Labels of a mini-batch; task-major: entry t * rows + i is task t of row i. */
export interface BatchLabels {
  readonly labels: Float32Array
  /** 1 where the row teaches the task. */
  readonly mask: Float32Array
  /** Importance per row. */
  readonly weights: Float32Array
  /** Per row ln of the rate at which its item is drawn as a negative, 0 for none; absent: none are drawn. */
  readonly logDrawRates?: Float32Array
  /** Per row 1 where it is the late positive of a row that was learned as a negative; absent: there is none. */
  readonly latePositive?: Uint8Array
  /** Task-major, for late positives: 1 where the negative had not been learned (it was sampled out); absent: all had. */
  readonly unpaired?: Float32Array
  /** Task-major: estimated probability that a provisional negative stays one; absent: the correction needs none. */
  readonly realNegative?: Float32Array
}
