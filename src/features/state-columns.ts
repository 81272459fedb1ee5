/** @file What an encoder asks of the state behind features that are learned from the stream; `feature-state/` has the tables. */

import type { Sample } from '../samples/sample.ts'
import type { EventTime } from '../time.ts'
import type { SlotKeys } from './encoded-batch.ts'

/** The keys of one row: of every state feature, and of the slots that caps count by. */
export interface StateKeys {
  /** Index i is feature i of the spec's `state`. */
  readonly features: readonly SlotKeys[]
  /** Index i is slot i of the spec. */
  readonly slots: readonly SlotKeys[]
}

/** Columns and histories that follow the stream of labels. */
export interface StateColumns {
  /** Writes the state columns of row `row` to out[at ..], as they stand for an impression at `time`; changes nothing. */
  readRow(keys: StateKeys, row: number, time: EventTime, out: Float32Array, at: number): void
  /** Writes the words of all histories of row `row` to out[at ..], those of each where its slot says; changes nothing. */
  readHistories(keys: StateKeys, row: number, out: Uint32Array, at: number): void
  /** Takes in the labels that are known in a sample, which is row `row` of the keys. */
  learnRow(keys: StateKeys, row: number, sample: Sample): void
}
