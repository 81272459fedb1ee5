/** @file A version put together from updates for tools: every row and weight by name, as one full update. */

import { MillraceError } from '../src/errors.ts'
import { PackedRows } from '../src/publish/packed-rows.ts'
import { readRemoved } from '../src/publish/removed-section.ts'
import type { UpdateContent } from '../src/publish/update.ts'
import { versionNumbered } from './control-topic.ts'
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
  readonly #rows = new Map<string, Float32Array>()
  #update: UpdateContent | undefined
  #sections: UpdateContent['sections'] = []
  sha256 = ''

  take({ sha256, parentSha256, kind }: ListedVersion, update: UpdateContent): void {
    if (kind === 'delta' && parentSha256 !== this.sha256) return
    if (kind === 'full') {
      this.#rows.clear()
      this.#sections = update.sections
    }
    const removed = readRemoved(update.sections)
    for (let i = 0; i < removed.length; i += 2) {
      this.#rows.delete(hex(removed[i]!) + hex(removed[i + 1]!))
    }
    const { keys, values } = update.rows
    const { width } = update.header.table
    for (let i = 0; i < keys.length / 2; i++) {
      const key = hex(keys[2 * i]!) + hex(keys[2 * i + 1]!)
      this.#rows.set(key, values.slice(i * width, (i + 1) * width))
    }
    this.#update = update
    this.sha256 = sha256
  }

  content(): UpdateContent {
    const update = this.#update
    if (update === undefined) throw new MillraceError('BAD_STATE', 'no version was taken')
    const { width } = update.header.table
    const sorted = [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1))
    const keys = new Uint32Array(2 * sorted.length)
    const values = new Float32Array(width * sorted.length)
    for (const [i, [key, row]] of sorted.entries()) {
      keys[2 * i] = Number.parseInt(key.slice(0, 8), 16)
      keys[2 * i + 1] = Number.parseInt(key.slice(8), 16)
      values.set(row, i * width)
    }
    const kept = this.#sections.filter(
      ({ name }) => !update.sections.some((one) => one.name === name),
    )
    const rows = PackedRows.exact({ keys, values }, width)
    // As if published in full: nothing is left to be removed.
    const sections = [...kept, ...update.sections].filter(({ name }) => name !== 'removed')
    return { ...update, rows, sections }
  }
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0')
}
