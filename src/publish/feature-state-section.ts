/** @file The section of an update with the rows of feature state: what a scorer needs to encode as the trainer does. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import type { EmbeddingTable } from '../embeddings/table.ts'
import { allRows, exportRows, type TableRows } from '../embeddings/table-rows.ts'
import { MillraceError } from '../errors.ts'
import type { FeatureState } from '../feature-state/feature-state.ts'
import type { UpdateSection } from './sections.ts'

/** Name of the section; absent from updates of jobs whose features have no state. */
export const FEATURE_STATE_SECTION = 'feature-state'

/** Name of the section of deltas with the keys whose rows of feature state were given up. */
const STATE_REMOVED_SECTION = 'state-removed'

/**
 * All rows for a full update, those that changed since the last update for a delta; changes nothing: `FeatureState.published`
 * says that they went out. Empty when no feature has a state.
 */
export function featureStateSections(state: FeatureState, kind: 'full' | 'delta'): UpdateSection[] {
  const { tables } = state
  if (tables.size === 0) return []
  const writer = new ByteWriter(65_536).u32(tables.size)
  for (const [name, table] of tables) {
    const rows = kind === 'full' ? allRows(table) : table.listDirty('publication')
    const { keys, values } = exportRows(table, rows)
    writer.text(name).u32(table.columns.width).array(keys).array(values)
  }
  const content = writer.finish()
  return [
    { name: FEATURE_STATE_SECTION, version: 1, required: true, content },
    ...(kind === 'full' ? [] : removedSections(tables)),
  ]
}

/** The keys that lost their rows since the last update, by table; none where no table lost any. */
function removedSections(tables: ReadonlyMap<string, EmbeddingTable>): UpdateSection[] {
  const lost = [...tables].filter(([, { removed }]) => removed.length > 0)
  if (lost.length === 0) return []
  const writer = new ByteWriter().u32(lost.length)
  for (const [name, { removed }] of lost) writer.text(name).array(Uint32Array.from(removed))
  return [{ name: STATE_REMOVED_SECTION, version: 1, required: true, content: writer.finish() }]
}

/** Rows of one table that wait to be put in, and keys, hi, lo, hi, lo ..., that lose theirs before. */
export interface ReadState {
  readonly table: EmbeddingTable
  readonly removed: Uint32Array
  readonly rows: TableRows
}

/**
 * The section's rows and the tables of a scorer's state that they belong to; changes nothing, `importRows` puts them in. CORRUPT
 * when the section is missing or of other features.
 */
export function readFeatureState(
  state: FeatureState,
  sections: readonly UpdateSection[],
): readonly ReadState[] {
  const { tables } = state
  if (tables.size === 0) return []
  const section = sections.find(({ name }) => name === FEATURE_STATE_SECTION)
  if (section === undefined) {
    throw new MillraceError('CORRUPT', 'the model reads rates, the update has no feature state')
  }
  const removed = readRemovedState(sections)
  const reader = new ByteReader(section.content)
  const read = Array.from({ length: reader.u32() }, () => readTable(tables, removed, reader))
  reader.end()
  return read
}

function readRemovedState(sections: readonly UpdateSection[]): ReadonlyMap<string, Uint32Array> {
  const section = sections.find(({ name }) => name === STATE_REMOVED_SECTION)
  if (section === undefined) return new Map()
  const reader = new ByteReader(section.content)
  const removed = Array.from(
    { length: reader.u32() },
    () => [reader.text(), reader.uint32()] as const,
  )
  reader.end()
  return new Map(removed)
}

function readTable(
  tables: ReadonlyMap<string, EmbeddingTable>,
  removed: ReadonlyMap<string, Uint32Array>,
  reader: ByteReader,
): ReadState {
  const name = reader.text()
  const width = reader.u32()
  const rows = { keys: reader.uint32(), values: reader.float32() }
  const table = tables.get(name)
  const whole = rows.values.length * 2 === rows.keys.length * width
  if (table === undefined || table.columns.width !== width || !whole) {
    throw new MillraceError(
      'CORRUPT',
      `state of ${JSON.stringify(name)}: ${rows.values.length} values of ${width} columns`,
    )
  }
  return { table, removed: removed.get(name) ?? new Uint32Array(0), rows }
}
