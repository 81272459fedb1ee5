/** @file The keys of a history as a slot: words of the state, which hold the keys of its items, row by row. */

import type { Pooling, SlotKeys } from './encoded-batch.ts'
import type { FeatureSlot } from './feature-spec.ts'
import { KeyColumn } from './key-column.ts'

/** The slot of some rows; `stride`: words of a row over all histories. */
export function historySlot(
  { pooling, history }: FeatureSlot,
  rows: number,
  words: Uint32Array,
  stride: number,
): SlotKeys {
  const { items = 0, last = 0, at = 0 } = history ?? {}
  const column = new KeyColumn(rows)
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < last; k++) {
      const word = row * stride + at + 2 * k
      column.key.hi = words[word]!
      column.key.lo = words[word + 1]!
      // Two zeros: nothing older is known.
      if (column.key.hi === 0 && column.key.lo === 0) break
      column.push()
    }
    column.endRow()
  }
  const keys = column.finish(pooling)
  return pooling === 'history-attention' ? { ...keys, query: items } : keys
}

/** A slot without any keys, in the place of one that fields do not tell. */
export function noKeys(pooling: Pooling): SlotKeys {
  const none = new Uint32Array(0)
  return { hi: none, lo: none, starts: none, pooling }
}
