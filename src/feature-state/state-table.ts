/** @file The rows of one state feature: an embedding table with one group of columns, no optimizer, and zeros for a new key. */

import { layOutColumns } from '../embeddings/columns.ts'
import type { DietOptions } from '../embeddings/diet-options.ts'
import { dietTable } from '../embeddings/diet-table.ts'
import { EmbeddingTable } from '../embeddings/table.ts'

/** A table of `width` values per key; with `diet` rows are given up by age or under a bound on memory. */
export function stateTable(width: number, diet?: DietOptions): EmbeddingTable {
  const columns = [{ name: 'state', width, deviation: 0 }]
  return diet === undefined
    ? new EmbeddingTable(layOutColumns(columns, 0))
    : dietTable(columns, 0, diet)
}

/** The row of a key that is learned from now, made when there is none; -1 where a bound leaves no room for it. */
export function rowOf(table: EmbeddingTable, hi: number, lo: number): number {
  const found = table.findOne(hi, lo)
  if (found < 0)
    return table.life?.admits(hi, lo, table.used) === false ? -1 : table.insertOne(hi, lo)
  table.touch(found)
  return found
}
