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
export const STATE_REMOVED_SECTION = 'state-removed'

/**
 * All rows for a full update, those that changed since the last update for a delta; changes nothing: `FeatureState.published`
 * says that they went out. Empty when no feature has a state.
 */
export function featureStateSections(state: FeatureState, kind: 'full' | 'delta'): UpdateSection[] {
  const { tables } = state
  if (tables.size === 0) return []
  const rows = Array.from(tables, ([name, table]) => {
    const chosen = kind === 'full' ? allRows(table) : table.listDirty('publication')
    return { name, width: table.columns.width, rows: exportRows(table, chosen) }
  })
  return [stateSection(rows), ...(kind === 'full' ? [] : removedSections(tables))]
}

/** The section with these rows, feature by feature. */
export function stateSection(
  features: readonly Pick<StateRows, 'name' | 'width' | 'rows'>[],
): UpdateSection {
  const writer = new ByteWriter(65_536).u32(features.length)
  for (const { name, width, rows } of features) {
    writer.text(name).u32(width).array(rows.keys).array(rows.values)
  }
  return { name: FEATURE_STATE_SECTION, version: 1, required: true, content: writer.finish() }
}

/** The keys that lost their rows since the last update, by table; none where no table lost any. */
function removedSections(tables: ReadonlyMap<string, EmbeddingTable>): UpdateSection[] {
  const lost = [...tables].filter(([, { removed }]) => removed.length > 0)
  if (lost.length === 0) return []
  const writer = new ByteWriter().u32(lost.length)
  for (const [name, { removed }] of lost) writer.text(name).array(Uint32Array.from(removed))
  return [{ name: STATE_REMOVED_SECTION, version: 1, required: true, content: writer.finish() }]
}

/** Rows of one feature as an update has them: keys, hi, lo, hi, lo ..., that lose theirs, then `width` values for each key of `rows`. */
export interface StateRows {
  readonly name: string
  readonly width: number
  readonly removed: Uint32Array
  readonly rows: TableRows
}

/** What an update has of feature state; nothing where its features have none. CORRUPT when the sections are not whole. */
export function stateRows(sections: readonly UpdateSection[]): StateRows[] {
  const section = sections.find(({ name }) => name === FEATURE_STATE_SECTION)
  if (section === undefined) return []
  const removed = readRemovedState(sections)
  const reader = new ByteReader(section.content)
  const read = Array.from({ length: reader.u32() }, () => readRows(removed, reader))
  reader.end()
  return read
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
  if (!sections.some(({ name }) => name === FEATURE_STATE_SECTION)) {
    throw new MillraceError('CORRUPT', 'the model reads rates, the update has no feature state')
  }
  return stateRows(sections).map(({ name, width, removed, rows }) => {
    const table = tables.get(name)
    if (table?.columns.width !== width) throw notWhole(name, rows, width)
    return { table, removed, rows }
  })
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

function readRows(removed: ReadonlyMap<string, Uint32Array>, reader: ByteReader): StateRows {
  const name = reader.text()
  const width = reader.u32()
  const rows = { keys: reader.uint32(), values: reader.float32() }
  if (rows.values.length * 2 !== rows.keys.length * width) throw notWhole(name, rows, width)
  return { name, width, removed: removed.get(name) ?? new Uint32Array(0), rows }
}

function notWhole(name: string, { values }: TableRows, width: number): MillraceError {
  const what = `${values.length} values of ${width} columns`
  return new MillraceError('CORRUPT', `state of ${JSON.stringify(name)}: ${what}`)
}
