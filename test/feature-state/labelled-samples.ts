/** @file Drawn histories of labelled samples with ids and event times, for tests of what features learn from the stream. */

import fc from 'fast-check'
import { FeatureState } from '../../src/feature-state/feature-state.ts'
import { FeatureEncoder } from '../../src/features/encode.ts'
import { featureListOptions } from '../../src/features/feature-options.ts'
import { compileFeatures } from '../../src/features/feature-spec.ts'
import type { Sample } from '../../src/samples/sample.ts'

export const TASKS = ['click', 'like'] as const

/** What a drawn sample is made of; ids are one letter. */
export interface Drawn {
  readonly user: string
  readonly tags: readonly string[]
  readonly time: number
  readonly labels: readonly number[]
  readonly mask: readonly number[]
}

const letter = fc.constantFrom('a', 'b', 'c')
const bit = fc.constantFrom(0, 1)

export const drawnSample: fc.Arbitrary<Drawn> = fc.record({
  user: letter,
  tags: fc.array(letter, { maxLength: 3 }),
  time: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_000 + 20 * 3_600_000 }),
  labels: fc.tuple(bit, bit),
  mask: fc.tuple(bit, bit),
})

/** `id`: rows of one impression share it. */
export function sampleOf({ user, tags, time, labels, mask }: Drawn, id: string): Sample {
  return {
    id,
    key: id,
    time,
    maturedAt: time,
    fields: { user, tags },
    labels: Float32Array.from(labels),
    mask: Uint8Array.from(mask),
    weight: 1,
    role: 'final',
    learned: Uint8Array.from(mask),
    late: new Uint8Array(mask.length),
  }
}

/** Two slots (user, tags) and the given features with a state. */
export function encoderWith(...state: readonly object[]): {
  readonly encoder: FeatureEncoder
  readonly state: FeatureState
} {
  const features = [{ name: 'user', kind: 'id' }, { name: 'tags', kind: 'ids' }, ...state]
  const spec = compileFeatures(featureListOptions.parse(features))
  const own = new FeatureState(spec, TASKS)
  return { encoder: new FeatureEncoder(spec, own), state: own }
}
