/** @file The rows of one state feature: an embedding table with one group of columns, no optimizer, and zeros for a new key. */

import { layOutColumns } from '../embeddings/columns.ts'
import { EmbeddingTable } from '../embeddings/table.ts'

/** A table of `width` values per key. */
export function stateTable(width: number): EmbeddingTable {
  return new EmbeddingTable(layOutColumns([{ name: 'state', width, deviation: 0 }], 0))
}

/** One kind of state feature at work. */
export interface StateFeatureTable {
  readonly table: EmbeddingTable
  /** Numbers that `read` writes. */
  readonly columns: number
}
