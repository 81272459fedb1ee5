/** @file What the learner remembers beside each row (`ColumnRequest.memory`): read before a step, written after it. */

import type { ColumnGroup } from './columns.ts'
import type { EmbeddingTable } from './table.ts'

/** Copies the group's memory of each row to out[i * group.memory ..]; zeros for a key without a row (-1). */
export function readMemory(
  table: EmbeddingTable,
  { memory, memoryAt }: ColumnGroup,
  rows: Int32Array,
  out: Float32Array,
): void {
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length)
  for (let i = 0; i * memory < out.length; i++) {
    if (rows[i]! < 0) out.fill(0, i * memory, (i + 1) * memory)
    else table.readWords(rows[i]!, memoryAt, memory, words, i * memory)
  }
}

/** Overwrites the group's memory of each row with values[i * group.memory ..]; marks the rows where it changes. */
export function writeMemory(
  table: EmbeddingTable,
  { memory, memoryAt }: ColumnGroup,
  rows: Int32Array,
  values: Float32Array,
): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i * memory < values.length; i++) {
    if (rows[i]! >= 0) table.writeWords(rows[i]!, memoryAt, memory, words, i * memory)
  }
}
