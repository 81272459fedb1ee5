/**
 * @file Published rows that a follower scores with before they are in its table: a swap takes no longer for many of them, and the
 * table takes them in afterwards, slice by slice.
 */

import type { Slices } from '../slices.ts'
import type { ValuesEdit } from './pooled-lookup.ts'
import type { EmbeddingTable } from './table.ts'
import type { TableRows } from './table-rows.ts'

/** Rows that are found, or put into the table, in one slice: about a third of a millisecond. */
export const SLICE_ROWS = 1_000

/**
 * Keys without a row get one when they are added, with their initial vectors: no score knows the difference. Nothing else may change
 * the table until all is settled, or until this is dropped.
 */
export class PendingRows {
  readonly #table: EmbeddingTable
  readonly #rows: Int32Array
  readonly #words: Uint32Array
  readonly #values: Float32Array
  /** Open addressing from rows to their places in the list, place + 1, 0 is empty. A power of two of at least twice the rows. */
  readonly #places: Int32Array
  #count = 0

  /** With room for so many rows. */
  constructor(table: EmbeddingTable, most: number) {
    this.#table = table
    this.#rows = new Int32Array(most)
    this.#values = new Float32Array(most * table.columns.width)
    this.#words = new Uint32Array(this.#values.buffer)
    this.#places = new Int32Array(2 ** Math.ceil(Math.log2(2 * most + 2)))
  }

  /** Finds the rows of some keys and keeps a copy of the values; of a key that is given twice the last ones. */
  add({ keys, values }: TableRows): void {
    this.#values.set(values, this.#count * this.#table.columns.width)
    for (let i = 0; i + 1 < keys.length; i += 2) {
      const row = this.#table.insertOne(keys[i]!, keys[i + 1]!)
      this.#rows[this.#count] = row
      this.#count += 1
      this.#places[this.#slotOf(row)] = this.#count
    }
  }

  /** Puts the pending values in the place of those that were read from the table. */
  readonly edit: ValuesEdit = (rows, count, values) => {
    const { width } = this.#table.columns
    for (let i = 0; i < count; i++) {
      if (rows[i]! < 0) continue
      const place = this.#places[this.#slotOf(rows[i]!)]! - 1
      if (place < 0) continue
      for (let c = 0; c < width; c++) values[i * width + c] = this.#values[place * width + c]!
    }
  };

  /** Writes everything into the table; at every moment `edit` leaves the same values. */
  *settling(): Slices<void> {
    const { width } = this.#table.columns
    for (let i = 0; i < this.#count; i++) {
      this.#table.writeValues(this.#rows[i]!, this.#words, i * width)
      if (i % SLICE_ROWS === SLICE_ROWS - 1) yield
    }
  }

  /** Where a row's place is kept, or would be. */
  #slotOf(row: number): number {
    const mask = this.#places.length - 1
    let at = Math.imul(row, 0x9e3779b1) & mask
    for (let place = this.#places[at]!; place !== 0; place = this.#places[at]!) {
      if (this.#rows[place - 1] === row) return at
      at = (at + 1) & mask
    }
    return at
  }
}
