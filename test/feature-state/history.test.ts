/** @file Histories: the last items of a key, newest first, each once, by matured positive labels of the tasks that count. */

import { describe, expect, it } from 'vitest'
import { FeatureState } from '../../src/feature-state/feature-state.ts'
import { FeatureEncoder } from '../../src/features/encode.ts'
import type { EncodedFeatures } from '../../src/features/encoded-batch.ts'
import { featureListOptions } from '../../src/features/feature-options.ts'
import { compileFeatures } from '../../src/features/feature-spec.ts'
import type { Sample } from '../../src/samples/sample.ts'
import { plainSample } from '../samples/plain-sample.ts'

const FEATURES = [
  { name: 'user', kind: 'id' },
  { name: 'item', kind: 'id' },
  { name: 'past', kind: 'history', of: ['user'], items: 'item', tasks: ['click'], last: 3 },
]

function encoderOf() {
  const spec = compileFeatures(featureListOptions.parse(FEATURES))
  return new FeatureEncoder(spec, new FeatureState(spec, ['click', 'like']))
}

let rows = 0
function shown(user: string, item: string, given: Partial<Sample> = {}): Sample {
  return plainSample({ id: `i${rows++}`, fields: { user, item }, ...given })
}

/** Items of the first row's history, by their keys among these. */
function historyOf(encoder: FeatureEncoder, { slots }: EncodedFeatures, row = 0): string[] {
  const names = ['a', 'b', 'c', 'd', 'e']
  const keys = encoder.encode(names.map((item) => ({ fields: { user: '', item }, time: 0 })))
    .slots[1]!
  const { hi, lo, starts } = slots[2]!
  return Array.from({ length: starts[row + 1]! - starts[row]! }, (_, k) => {
    const at = starts[row]! + k
    return names[keys.lo.findIndex((one, i) => one === lo[at] && keys.hi[i] === hi[at])] ?? '?'
  })
}

describe('a history', () => {
  it('lists the newest items first, each once, and no more than it may', () => {
    const encoder = encoderOf()
    encoder.settle(['a', 'b', 'c', 'b', 'd'].map((item) => shown('u', item)))
    encoder.settle([shown('v', 'e')])
    const asked = [shown('u', 'a'), shown('v', 'a'), shown('w', 'a')]
    const found = encoder.encode(asked)
    expect(asked.map((_, row) => historyOf(encoder, found, row))).toEqual([
      ['d', 'b', 'c'],
      ['e'],
      [],
    ])
    expect(found.slots[2]).toMatchObject({ pooling: 'history-attention', query: 1 })
  })

  it('takes only matured positive labels of its tasks', () => {
    const encoder = encoderOf()
    encoder.settle([
      shown('u', 'a', { labels: Float32Array.of(0, 1) }),
      shown('u', 'b', { mask: Uint8Array.of(0, 1) }),
      shown('u', 'c', { labels: Float32Array.of(1, 0) }),
    ])
    expect(historyOf(encoder, encoder.encode([shown('u', 'd')]))).toEqual(['c'])
  })

  it('is the same in every row of an impression: a click does not see itself', () => {
    const encoder = encoderOf()
    const click = shown('u', 'a', { mask: Uint8Array.of(1, 0) })
    const like = { ...click, labels: Float32Array.of(0, 1), mask: Uint8Array.of(0, 1) }
    expect(historyOf(encoder, encoder.encodeSamples([click]))).toEqual([])
    encoder.settle([click])
    const restored = encoderOf()
    restored.restore(encoder.snapshot())
    for (const one of [encoder, restored]) {
      expect(historyOf(one, one.encodeSamples([like]))).toEqual([])
    }
    expect(historyOf(encoder, encoder.encodeSamples([shown('u', 'b')]))).toEqual(['a'])
  })
})
