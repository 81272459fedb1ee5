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

/** The rows that hold a key: what a full publication exports. */
export function allRows(table: EmbeddingTable): Uint32Array {
  const rows = new Uint32Array(table.used)
  for (let row = 0, at = 0; at < rows.length; row++) if (!table.free.has(row)) rows[at++] = row
  return rows
}

/** Rows of `width` values, at most so many at a time; views. */
export function* piecesOf(
  { keys, values }: TableRows,
  width: number,
  most: number,
): Generator<TableRows> {
  for (let from = 0; from < keys.length / KEY_WORDS; from += most) {
    yield {
      keys: keys.subarray(from * KEY_WORDS, (from + most) * KEY_WORDS),
      values: values.subarray(from * width, (from + most) * width),
    }
  }
}

/** Takes published removals out of a follower's table: hi, lo, hi, lo ...; keys without a row are passed over. */
export function removeKeys(table: EmbeddingTable, keys: Uint32Array): void {
  for (let i = 0; i + 1 < keys.length; i += 2) table.remove(keys[i]!, keys[i + 1]!, 'erased')
  // A follower publishes nothing: nothing else would ever empty the list.
  table.removed.length = 0
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
