/** @file Which type each row of a table is published in: by the slot that brought its key. */

import { slotOf } from '../embeddings/row-slot.ts'
import type { EmbeddingTable } from '../embeddings/table.ts'
import { exportRows } from '../embeddings/table-rows.ts'
import { PackedRows } from './packed-rows.ts'
import { packingOf, type ValueType } from './value-type.ts'

/** What a job says about the types of its rows. */
export interface RowTypeOptions {
  readonly byDefault: ValueType
  /** By the place of a slot in the feature spec, where it has another; only with a table that keeps slots (`slotAt`). */
  readonly bySlot?: readonly (ValueType | undefined)[]
}

/** Rounds rows of a table as followers get them. */
export class RowTypes {
  readonly #table: EmbeddingTable
  readonly #options: RowTypeOptions
  readonly #widths: readonly number[]

  constructor(table: EmbeddingTable, options: RowTypeOptions) {
    this.#table = table
    this.#options = options
    this.#widths = table.columns.groups.map(({ width }) => width)
  }

  /** The given rows, rounded. */
  export(rows: Uint32Array): PackedRows {
    const { width } = this.#table.columns
    const values = exportRows(this.#table, rows)
    if (this.#isExact) return PackedRows.exact(values, width)
    return PackedRows.pack(
      values,
      Array.from(rows, (row) => this.#typeOf(row)),
      this.#widths,
    )
  }

  /** Rounds values that were read from rows, in place: row i is rows[i], or -1 where a key has none and stays as it is. */
  round(rows: Int32Array, count: number, values: Float32Array): void {
    if (this.#isExact) return
    for (let i = 0; i < count; i++) {
      if (rows[i]! < 0) continue
      const { stride, pack, unpack } = packingOf(this.#typeOf(rows[i]!), this.#widths)
      const packed = new DataView(new ArrayBuffer(stride))
      pack(values, i, packed, 0)
      unpack(packed, 0, values, i)
    }
  }

  get #isExact(): boolean {
    const { byDefault, bySlot = [] } = this.#options
    return [byDefault, ...bySlot].every((type) => type === undefined || type === 'float32')
  }

  #typeOf(row: number): ValueType {
    const { byDefault, bySlot } = this.#options
    return bySlot?.[slotOf(this.#table, row)] ?? byDefault
  }
}
