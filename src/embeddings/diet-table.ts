/** @file A table by the rules of a job: how many rows fit into its bound, and what its records need for that. */

import { MillraceError } from '../errors.ts'
import { type ColumnRequest, layOutColumns, type RecordExtras } from './columns.ts'
import type { DietOptions } from './diet-options.ts'
import { RowLife } from './row-life.ts'
import { PAGE_BITS } from './row-pages.ts'
import { EmbeddingTable } from './table.ts'

const MB = 2 ** 20
/** Bytes per row beside its record: 10 of the index at most, a bit for each of the two cursors and for the free rows. */
const BESIDE = 11

/** Without a rule it is a plain table; `slot`: rows keep the slots of their keys. BAD_SETTINGS when not even one page of rows fits into the bound. */
export function dietTable(
  requests: readonly ColumnRequest[],
  seed: number,
  options: DietOptions,
  { slot = false }: Pick<RecordExtras, 'slot'> = {},
): EmbeddingTable {
  const { admit_after: after, admit_share: share, expire_hours: hours, most_mb: most } = options
  if (after === 1 && share === 1 && hours === undefined && most === undefined) {
    return new EmbeddingTable(layOutColumns(requests, seed, { slot }))
  }
  const columns = layOutColumns(requests, seed, { life: true, slot })
  const sketch = new RowLife(options, seed, 0).bytes
  const capacity =
    most === undefined
      ? Number.POSITIVE_INFINITY
      : rowsWithin(most * MB - sketch, columns.recordWidth * 4 + BESIDE)
  return new EmbeddingTable(columns, new RowLife(options, seed, capacity))
}

function rowsWithin(bytes: number, perRow: number): number {
  const page = 2 ** PAGE_BITS
  const pages = Math.floor(bytes / (perRow * page))
  if (pages >= 1) return pages * page
  const least = Math.ceil((perRow * page) / MB)
  throw new MillraceError(
    'BAD_SETTINGS',
    `no page of ${page} rows fits into most_mb of train.tables or train.state_tables`,
    {
      remedy: `give it at least ${least} MB beside the sketch of admit_after (2 MB)`,
    },
  )
}
