/** @file Published rows that wait beside a follower's table, found already, until all of them go in at one go. */

import type { EmbeddingTable } from './table.ts'
import type { TableRows } from './table-rows.ts'

interface StagedPiece {
  readonly rows: Int32Array
  readonly published: TableRows
}

/** Keys without a row get one with the others. Nothing else may change the table meanwhile. */
export class StagedRows {
  readonly #table: EmbeddingTable
  readonly #pieces: StagedPiece[] = []

  constructor(table: EmbeddingTable) {
    this.#table = table
  }

  /** Finds the rows of some keys; the values stay the caller's and must not change. */
  add(published: TableRows): void {
    const { keys } = published
    const rows = new Int32Array(keys.length / 2)
    for (let i = 0; i < rows.length; i++) {
      rows[i] = this.#table.findOne(keys[2 * i]!, keys[2 * i + 1]!)
    }
    this.#pieces.push({ rows, published })
  }

  /** Puts everything in. */
  put(): void {
    const { width } = this.#table.columns
    for (const { rows, published } of this.#pieces) {
      const { keys, values } = published
      const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
      for (let i = 0; i < rows.length; i++) {
        if (rows[i]! < 0) rows[i] = this.#table.insertOne(keys[2 * i]!, keys[2 * i + 1]!)
        this.#table.writeValues(rows[i]!, words, i * width)
      }
    }
  }
}
