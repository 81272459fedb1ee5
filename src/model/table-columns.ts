/** @file The column groups that a model asks of the embedding table: embeddings, and linear weights where it has a wide part. */

import type { ColumnRequest } from '../embeddings/columns.ts'
import type { SparseOptimizer } from '../embeddings/sparse-optimizer.ts'
import type { Model } from './model.ts'

/** Name of the group with the embeddings: d columns per id, (T + 1) d where tasks have their own slices. */
export const EMBEDDING_COLUMNS = 'embedding'

/** Name of the group with one linear weight per task. */
export const WIDE_COLUMNS = 'wide'

/** Standard deviation of initial embeddings, and the optimizers; a table that only scores has none. */
export interface TableColumnsOptions {
  readonly deviation: number
  readonly optimizer?: SparseOptimizer
  readonly wideOptimizer?: SparseOptimizer
  /** Floats remembered beside each embedding: one per task where a row balancer keeps running norms. */
  readonly memory?: number
}

/** What to lay out a model's table with. */
export function tableColumns(model: Model, options: TableColumnsOptions): ColumnRequest[] {
  const { deviation, optimizer, wideOptimizer = optimizer, memory = 0 } = options
  const group = (name: string, width: number, spread: number, by?: SparseOptimizer) => ({
    name,
    width,
    deviation: spread,
    ...(by === undefined ? {} : { optimizer: by }),
  })
  const embedding = {
    ...group(EMBEDDING_COLUMNS, model.columnsPerField, deviation, optimizer),
    memory,
  }
  if (!model.wide) return [embedding]
  const wide = group(WIDE_COLUMNS, model.shape.tasks.length, 0, wideOptimizer)
  return [embedding, { ...wide, histories: 'left out' }]
}
