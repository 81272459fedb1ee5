/** @file Published rows that wait beside a follower's table, found already, until all of them go in at one go. */

import type { EmbeddingTable } from './table.ts'
import type { TableRows } from './table-rows.ts'

interface StagedPiece {
  readonly rows: Int32Array
  readonly published: TableRows
  /** What the rows held when they were staged. */
  readonly before: Float32Array
}

/**
 * `early`: keys without a row get one when they are staged, with their initial vectors: no score knows the difference. Otherwise
 * they get it with the others. Nothing else may change the table meanwhile.
 */
export class StagedRows {
  readonly #table: EmbeddingTable
  readonly #early: boolean
  readonly #pieces: StagedPiece[] = []

  constructor(table: EmbeddingTable, { early }: { readonly early: boolean }) {
    this.#table = table
    this.#early = early
  }

  /** Finds the rows of some keys; the values stay the caller's and must not change. */
  add(published: TableRows): void {
    const { keys } = published
    const { width } = this.#table.columns
    const rows = new Int32Array(keys.length / 2)
    const before = new Float32Array(this.#early ? rows.length * width : 0)
    for (let i = 0; i < rows.length; i++) {
      const [hi, lo] = [keys[2 * i]!, keys[2 * i + 1]!]
      rows[i] = this.#early ? this.#table.insertOne(hi, lo) : this.#table.findOne(hi, lo)
      if (this.#early) before.set(this.#table.valuesOf(rows[i]!), i * width)
    }
    this.#pieces.push({ rows, published, before })
  }

  /** Puts everything in. */
  put(): void {
    for (const { rows, published } of this.#pieces) {
      const { keys, values } = published
      for (let i = 0; i < rows.length; i++) {
        if (rows[i]! < 0) rows[i] = this.#table.insertOne(keys[2 * i]!, keys[2 * i + 1]!)
      }
      this.#write(rows, values)
    }
  }

  /** Gives rows that were staged early the values that they had. */
  takeBack(): void {
    for (const { rows, before } of this.#pieces) this.#write(rows, before)
  }

  #write(rows: Int32Array, values: Float32Array): void {
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
    const { width } = this.#table.columns
    for (let i = 0; i < rows.length; i++) this.#table.writeValues(rows[i]!, words, i * width)
  }
}
