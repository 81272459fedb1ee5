/** @file The slot whose feature brought a row's key: kept beside the row where something depends on it, as keys are hashes. */

import type { BatchKeys } from './batch-keys.ts'
import type { EmbeddingTable } from './table.ts'

/** Writes the slots of keys that had no row before: `before` and `rows` are the rows of the keys before and after insertion. */
export function writeSlots(
  table: EmbeddingTable,
  keys: BatchKeys,
  before: Int32Array,
  rows: Int32Array,
): void {
  const { slotAt } = table.columns
  if (slotAt === undefined) return
  const slot = new Uint32Array(1)
  for (let i = 0; i < keys.count; i++) {
    while (i >= keys.slotEnds[slot[0]!]!) slot[0]!++
    if (before[i]! < 0 && rows[i]! >= 0) table.writeWords(rows[i]!, slotAt, 1, slot, 0)
  }
}

/** The place of the row's slot in the feature spec; 0 in a table that keeps none. */
export function slotOf(table: EmbeddingTable, row: number): number {
  const { slotAt } = table.columns
  const slot = new Uint32Array(1)
  if (slotAt !== undefined) table.readWords(row, slotAt, 1, slot, 0)
  return slot[0]!
}
