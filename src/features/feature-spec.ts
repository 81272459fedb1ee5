/** @file What a model was trained to read: slots and dense inputs in order, with a hash; it travels with every published model. */

import { createHash } from 'node:crypto'
import { MillraceError, messageOf } from '../errors.ts'
import type { SlotKeys } from './encoded-batch.ts'
import {
  type FeatureOptions,
  featureListOptions,
  givesIds,
  type SlotOptions,
} from './feature-options.ts'
import { hasState, type StateOptions, stateColumnNames } from './state-options.ts'
import { ValueKeys } from './value-key.ts'

/** One id-like feature, or a history: slot i of every encoded batch. */
export interface FeatureSlot {
  readonly name: string
  readonly pooling: SlotKeys['pooling']
  /** 32-bit seed of the slot's keys (`ValueKeys`); a history has those of its items. */
  readonly seed: number
  /** Of a history. */
  readonly history?: HistorySlot
}

/** Where the keys of a history come from. */
export interface HistorySlot {
  /** Slot of its items: their keys, and the query of attention. */
  readonly items: number
  /** Items remembered, and where their words start among those of all histories of a row. */
  readonly last: number
  readonly at: number
}

/** One feature that is learned from the stream: its keys, and the dense columns that it fills. */
export interface StateFeature {
  readonly options: StateOptions
  /** 32-bit seed of its keys: those of a cross of `of` with this seed, also where that is one feature. */
  readonly seed: number
  readonly pooling: SlotKeys['pooling']
  /** Its first column and how many there are. */
  readonly column: number
  readonly columns: number
  /** Slot whose keys a cap counts by. */
  readonly capSlot: number | undefined
}

/** The compiled declaration. Equal `hash` means that two encoders give the same keys and dense columns. */
export interface FeatureSpec {
  readonly features: readonly FeatureOptions[]
  readonly slots: readonly FeatureSlot[]
  /** Features whose columns are learned from the stream. */
  readonly state: readonly StateFeature[]
  /** Names of the dense columns: `number` features in their order, then the columns of `state`. */
  readonly denseNames: readonly string[]
  readonly denseWidth: number
  /** Columns of `number` features: those that have running statistics. */
  readonly numberWidth: number
  /** 32-bit words of all histories of a row, two for each item. */
  readonly historyWords: number
  /** Canonical JSON of `features`, object keys sorted; `featureSpecFromJson` reads it back. */
  readonly json: string
  /** sha256 of `json`, hex. */
  readonly hash: string
}

/** Compiles checked options. Throws BAD_SETTINGS when two slot names share a seed (one in four thousand million). */
export function compileFeatures(features: readonly FeatureOptions[]): FeatureSpec {
  const seedOf = seedsOf(features)
  const slots: FeatureSlot[] = []
  let historyWords = 0
  for (const feature of features) {
    const { name } = feature
    if (feature.kind === 'history') {
      const items = slots.findIndex((slot) => slot.name === feature.items)
      const history = { items, last: feature.last, at: historyWords }
      slots.push({ name, pooling: `history-${feature.pooling}`, seed: seedOf(name), history })
      historyWords += 2 * feature.last
    } else if (givesIds(feature)) {
      slots.push({ name, pooling: slotPooling(feature, slots), seed: seedOf(name) })
    }
  }
  const denseNames = features.filter(({ kind }) => kind === 'number').map(({ name }) => name)
  const numberWidth = denseNames.length
  const state: StateFeature[] = []
  for (const options of features.filter(hasState)) {
    const names = stateColumnNames(options)
    const by = options.kind === 'rate' ? options.cap?.by : undefined
    state.push({
      options,
      seed: seedOf(options.name),
      pooling: crossPooling(options.of, slots),
      column: denseNames.length,
      columns: names.length,
      capSlot: by === undefined ? undefined : slots.findIndex(({ name }) => name === by),
    })
    denseNames.push(...names)
  }
  const json = canonicalJson(features)
  const hash = createHash('sha256').update(json).digest('hex')
  const denseWidth = denseNames.length
  return { features, slots, state, denseNames, denseWidth, numberWidth, historyWords, json, hash }
}

/** The seed of every feature that makes keys. */
function seedsOf(features: readonly FeatureOptions[]): (name: string) => number {
  const keys = new ValueKeys()
  const nameOfSeed = new Map<number, string>()
  for (const { kind, name } of features) {
    if (kind === 'number') continue
    const seed = keys.slotSeed(name)
    const other = nameOfSeed.get(seed)
    if (other !== undefined) {
      throw new MillraceError(
        'BAD_SETTINGS',
        `features "${other}" and "${name}" have the same seed, so their ids would mix`,
        { remedy: 'rename one of them' },
      )
    }
    nameOfSeed.set(seed, name)
  }
  return (name) => keys.slotSeed(name)
}

/** The spec of a published model. Throws CORRUPT when the text is not one. */
export function featureSpecFromJson(json: string): FeatureSpec {
  try {
    return compileFeatures(featureListOptions.parse(JSON.parse(json)))
  } catch (cause) {
    throw new MillraceError('CORRUPT', `not a feature spec: ${messageOf(cause)}`, { cause })
  }
}

function slotPooling(feature: SlotOptions, above: readonly FeatureSlot[]): SlotKeys['pooling'] {
  if (feature.kind === 'ids') return feature.pooling
  return feature.kind === 'cross' ? crossPooling(feature.of, above) : 'single'
}

/** A cross has one key per row unless a member is a bag; then the combinations are averaged. */
function crossPooling(
  members: readonly string[],
  above: readonly FeatureSlot[],
): SlotKeys['pooling'] {
  const bag = above.some(({ name, pooling }) => pooling !== 'single' && members.includes(name))
  return bag ? 'mean' : 'single'
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
