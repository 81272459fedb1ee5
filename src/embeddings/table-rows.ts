/** @file Rows as they are published: keys and values, no optimizer state; a follower's table takes them in. */

import { MillraceError } from '../errors.ts'
import { KEY_WORDS } from './columns.ts'
import type { EmbeddingTable } from './table.ts'

/** Row i has the key (keys[2 i] = hi, keys[2 i + 1] = lo) and values[i * width ..], all column groups in order. */
export interface TableRows {
  readonly keys: Uint32Array
  readonly values: Float32Array
}

/** Copies the given rows, in the given order. */
export function exportRows(table: EmbeddingTable, rows: Uint32Array): TableRows {
  const { width } = table.columns
  const keys = new Uint32Array(rows.length * KEY_WORDS)
  const values = new Float32Array(rows.length * width)
  const valueWords = new Uint32Array(values.buffer)
  for (let i = 0; i < rows.length; i++) {
    table.readWords(rows[i]!, 0, KEY_WORDS, keys, i * KEY_WORDS)
    table.readWords(rows[i]!, KEY_WORDS, width, valueWords, i * width)
  }
  return { keys, values }
}

/** Row numbers 0 to `table.rows`: what a full publication exports. */
export function allRows(table: EmbeddingTable): Uint32Array {
  return Uint32Array.from({ length: table.rows }, (_, row) => row)
}

/**
 * Writes published rows into a follower's table: known keys are overwritten, others inserted. Throws CORRUPT when the
 * widths differ, before anything is written.
 */
export function importRows(table: EmbeddingTable, { keys, values }: TableRows): void {
  const { width } = table.columns
  const count = keys.length / KEY_WORDS
  if (values.length !== count * width) {
    throw new MillraceError(
      'CORRUPT',
      `${values.length} values for ${count} rows of ${width} columns`,
    )
  }
  const valueWords = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < count; i++) {
    const row = table.insertOne(keys[2 * i]!, keys[2 * i + 1]!)
    table.writeValues(row, valueWords, i * width)
  }
}
