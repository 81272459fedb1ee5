/** @file A version put together from updates for tools: every row and weight by name, as one full update. */

import { MillraceError } from '../src/errors.ts'
import {
  FEATURE_STATE_SECTION,
  STATE_REMOVED_SECTION,
  stateRows,
  stateSection,
} from '../src/publish/feature-state-section.ts'
import { PackedRows } from '../src/publish/packed-rows.ts'
import { REMOVED_SECTION, readRemoved } from '../src/publish/removed-section.ts'
import type { UpdateContent } from '../src/publish/update.ts'
import { versionNumbered } from './control-topic.ts'
import { RowsByKey } from './rows-by-key.ts'
import { type ListedVersion, listVersions, type VersionSource } from './version-list.ts'

/** A version as if it had been published in full. */
export interface WholeVersion {
  readonly listed: ListedVersion
  /** Rows in the order of their keys, whatever updates brought them. */
  readonly content: UpdateContent
}

/** Puts the given versions together, in one reading of the topic. BAD_INPUT for one that is not there or has no whole chain. */
export async function wholeVersions(
  source: VersionSource,
  sequences: readonly number[],
): Promise<WholeVersion[]> {
  const versions = await listVersions(source)
  const wanted = sequences.map((sequence) => versionNumbered(versions, sequence))
  const found = new Map<string, WholeVersion>()
  const state = new VersionState()
  await listVersions(source, (listed, update) => {
    state.take(listed, update)
    const isWanted = wanted.some(({ sha256 }) => sha256 === listed.sha256)
    if (isWanted && state.sha256 === listed.sha256) {
      found.set(listed.sha256, { listed, content: state.content() })
    }
  })
  return wanted.map(({ sha256, sequence }) => {
    const whole = found.get(sha256)
    if (whole !== undefined) return whole
    throw new MillraceError('BAD_INPUT', `version ${sequence} cannot be put together`, {
      remedy:
        'its chain of updates has a hole or a damaged part: millrace snapshot verify says which',
    })
  })
}

/** Follows the chain without checking probes: that is `verify`'s work. */
class VersionState {
  readonly #rows = new RowsByKey()
  readonly #state = new Map<string, { readonly width: number; readonly rows: RowsByKey }>()
  #update: UpdateContent | undefined
  #sections: UpdateContent['sections'] = []
  sha256 = ''

  take({ sha256, parentSha256, kind }: ListedVersion, update: UpdateContent): void {
    if (kind === 'delta' && parentSha256 !== this.sha256) return
    if (kind === 'full') {
      this.#rows.clear()
      this.#state.clear()
      this.#sections = update.sections
    }
    this.#rows.take(readRemoved(update.sections), update.rows, update.header.table.width)
    for (const { name, width, removed, rows } of stateRows(update.sections)) {
      const known = this.#state.get(name) ?? { width, rows: new RowsByKey() }
      this.#state.set(name, known)
      known.rows.take(removed, rows, width)
    }
    this.#update = update
    this.sha256 = sha256
  }

  content(): UpdateContent {
    const update = this.#update
    if (update === undefined) throw new MillraceError('BAD_STATE', 'no version was taken')
    const { width } = update.header.table
    const kept = this.#sections.filter(
      ({ name }) => !update.sections.some((one) => one.name === name),
    )
    const state = Array.from(this.#state, ([name, one]) => ({
      name,
      width: one.width,
      rows: one.rows.sorted(one.width),
    }))
    // As if published in full: nothing is left to be removed, and the feature state is all of it.
    const sections = [...kept, ...update.sections].filter(({ name }) => !OF_A_DELTA.has(name))
    if (state.length > 0) sections.push(stateSection(state))
    return { ...update, rows: PackedRows.exact(this.#rows.sorted(width), width), sections }
  }
}

/** Sections that say what changed, in whose place a whole version has everything or nothing. */
const OF_A_DELTA: ReadonlySet<string> = new Set([
  REMOVED_SECTION,
  FEATURE_STATE_SECTION,
  STATE_REMOVED_SECTION,
])
