/** @file The section of a delta with the keys whose rows were given up: without it a consumer would keep their old vectors. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import type { EmbeddingTable } from '../embeddings/table.ts'
import type { UpdateSection } from './sections.ts'

/** Name of the section; absent where no key lost its row. */
export const REMOVED_SECTION = 'removed'

/** The keys removed since the last version, hi, lo, hi, lo ...; nothing in a full update, which has all rows that there are. */
export function removedSection(kind: 'full' | 'delta', table: EmbeddingTable): UpdateSection[] {
  if (kind === 'full' || table.removed.length === 0) return []
  const content = new ByteWriter().array(Uint32Array.from(table.removed)).finish()
  return [{ name: REMOVED_SECTION, version: 1, required: true, content }]
}

/** The keys of an update's section, to be removed before its rows go in; CORRUPT when they are not whole. */
export function readRemoved(sections: readonly UpdateSection[]): Uint32Array {
  const section = sections.find(({ name }) => name === REMOVED_SECTION)
  if (section === undefined) return new Uint32Array(0)
  const reader = new ByteReader(section.content)
  const keys = reader.uint32()
  reader.end()
  return keys
}
