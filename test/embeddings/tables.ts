/** @file Small tables and keys for the tests of this folder. */

import {
  type ColumnGroup,
  type ColumnRequest,
  KEY_WORDS,
  layOutColumns,
} from '../../src/embeddings/columns.ts'
import { sparseOptimizer, sparseOptimizerOptions } from '../../src/embeddings/sparse-optimizers.ts'
import { EmbeddingTable } from '../../src/embeddings/table.ts'
import type { KeyList } from '../../src/embeddings/table-terms.ts'

const optimizerOf = (kind: string): ReturnType<typeof sparseOptimizer> =>
  sparseOptimizer(sparseOptimizerOptions.parse({ kind }))

/** A shared part with Adagrad, a task slice with Adam, a linear part with FTRL. */
export const threeGroups: ColumnRequest[] = [
  { name: 'shared', width: 3, deviation: 0.1, optimizer: optimizerOf('adagrad') },
  { name: 'task.click', width: 2, deviation: 0.1, optimizer: optimizerOf('adam') },
  { name: 'linear', width: 1, deviation: 0, optimizer: optimizerOf('ftrl') },
]

export function smallTable(
  requests: readonly ColumnRequest[] = threeGroups,
  seed = 1,
): EmbeddingTable {
  return new EmbeddingTable(layOutColumns(requests, seed))
}

/** The same columns without optimizers: what a follower holds. */
export function followerTable(seed = 1): EmbeddingTable {
  return smallTable(
    threeGroups.map(({ name, width, deviation }) => ({ name, width, deviation })),
    seed,
  )
}

export function keyList(pairs: readonly (readonly [number, number])[]): KeyList {
  return {
    hi: Uint32Array.from(pairs, ([hi]) => hi),
    lo: Uint32Array.from(pairs, ([, lo]) => lo),
    count: pairs.length,
  }
}

/** The vectors of one column group for every key as the table holds them now, unseen keys included; flat. */
export function vectorsOf(table: EmbeddingTable, group: ColumnGroup, keys: KeyList): number[] {
  const { width } = table.columns
  const values = new Float32Array(keys.count * width)
  table.lookUp(keys, new Int32Array(keys.count), values)
  const first = group.valueAt - KEY_WORDS
  return Array.from({ length: keys.count }, (_, i) => [
    ...values.subarray(i * width + first, i * width + first + group.width),
  ]).flat()
}
