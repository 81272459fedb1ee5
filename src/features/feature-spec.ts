/** @file What a model was trained to read: slots and dense inputs in order, with a hash; it travels with every published model. */

import { createHash } from 'node:crypto'
import { MillraceError, messageOf } from '../errors.ts'
import type { SlotKeys } from './encoded-batch.ts'
import { type FeatureOptions, featureListOptions } from './feature-options.ts'
import { ValueKeys } from './value-key.ts'

/** One id-like feature: slot i of every encoded batch. */
export interface FeatureSlot {
  readonly name: string
  readonly pooling: SlotKeys['pooling']
  /** 32-bit seed of the slot's keys (`ValueKeys`). */
  readonly seed: number
}

/** The compiled declaration. Equal `hash` means that two encoders give the same keys and dense columns. */
export interface FeatureSpec {
  readonly features: readonly FeatureOptions[]
  readonly slots: readonly FeatureSlot[]
  /** Names of the dense columns. */
  readonly denseNames: readonly string[]
  readonly denseWidth: number
  /** Canonical JSON of `features`, object keys sorted; `featureSpecFromJson` reads it back. */
  readonly json: string
  /** sha256 of `json`, hex. */
  readonly hash: string
}

/** Compiles checked options. Throws BAD_SETTINGS when two slot names share a seed (one in four thousand million). */
export function compileFeatures(features: readonly FeatureOptions[]): FeatureSpec {
  const keys = new ValueKeys()
  const slots: FeatureSlot[] = []
  const nameOfSeed = new Map<number, string>()
  for (const feature of features) {
    if (feature.kind === 'number') continue
    const seed = keys.slotSeed(feature.name)
    const other = nameOfSeed.get(seed)
    if (other !== undefined) {
      throw new MillraceError(
        'BAD_SETTINGS',
        `features "${other}" and "${feature.name}" have the same seed, so their ids would mix`,
        { remedy: 'rename one of them' },
      )
    }
    nameOfSeed.set(seed, feature.name)
    slots.push({ name: feature.name, pooling: poolingOf(feature, slots), seed })
  }
  const denseNames = features.filter(({ kind }) => kind === 'number').map(({ name }) => name)
  const json = canonicalJson(features)
  const hash = createHash('sha256').update(json).digest('hex')
  return { features, slots, denseNames, denseWidth: denseNames.length, json, hash }
}

/** The spec of a published model. Throws CORRUPT when the text is not one. */
export function featureSpecFromJson(json: string): FeatureSpec {
  try {
    return compileFeatures(featureListOptions.parse(JSON.parse(json)))
  } catch (cause) {
    throw new MillraceError('CORRUPT', `not a feature spec: ${messageOf(cause)}`, { cause })
  }
}

/** A cross has one key per row unless a member is a bag; then the combinations are averaged. */
function poolingOf(feature: FeatureOptions, above: readonly FeatureSlot[]): SlotKeys['pooling'] {
  if (feature.kind === 'ids') return feature.pooling
  if (feature.kind !== 'cross') return 'single'
  const bag = above.some(({ name, pooling }) => pooling !== 'single' && feature.of.includes(name))
  return bag ? 'mean' : 'single'
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
