/** @file Features of a sample: keys, bags, buckets, crosses, clock and dense inputs, and what bad fields become. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FeatureEncoder } from '../../src/features/encode.ts'
import type { EncodedFeatures, SlotKeys } from '../../src/features/encoded-batch.ts'
import { featureListOptions } from '../../src/features/feature-options.ts'
import { compileFeatures } from '../../src/features/feature-spec.ts'
import type { FeatureRow } from '../../src/features/slot-encoders.ts'
import { ValueKeys } from '../../src/features/value-key.ts'

const keys = new ValueKeys()

function encoderOf(...features: unknown[]): FeatureEncoder {
  return new FeatureEncoder(compileFeatures(featureListOptions.parse(features)))
}

const row = (fields: Record<string, unknown>, time = 0): FeatureRow => ({ fields, time })

/** The keys of one row of a slot, as [hi, lo] pairs. */
function keysAt(slot: SlotKeys, at: number): [number, number][] {
  const pairs: [number, number][] = []
  for (let i = slot.starts[at]!; i < slot.starts[at + 1]!; i++)
    pairs.push([slot.hi[i]!, slot.lo[i]!])
  return pairs
}

function keyOf(slot: string, value: unknown): [number, number] {
  const key = { hi: 0, lo: 0 }
  keys.write(value, keys.slotSeed(slot), key)
  return [key.hi, key.lo]
}

const only = (batch: EncodedFeatures): SlotKeys => {
  expect(batch.slots).toHaveLength(1)
  return batch.slots[0]!
}

test('an id has one key per row; absent, empty and ill-typed values share the missing key and are counted apart', () => {
  const encoder = encoderOf({ name: 'user', kind: 'id', from: 'user_id' })
  const values = ['a', 7, '7', true, undefined, null, '', Number.NaN, { a: 1 }, ['a']]
  const slot = only(encoder.encode(values.map((user_id) => row({ user_id }))))
  expect(slot.pooling).toBe('single')
  expect([...slot.starts]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  const missing = keyOf('user', undefined)
  expect(values.map((_, i) => keysAt(slot, i)[0])).toEqual([
    keyOf('user', 'a'),
    keyOf('user', 7),
    keyOf('user', 7),
    keyOf('user', true),
    ...Array.from({ length: 6 }, () => missing),
  ])
  expect(encoder.counts()).toEqual([{ feature: 'user', missing: 3, illTyped: 3 }])
})

test('the same value in two slots has two keys', () => {
  expect(keyOf('user', 'a')).not.toEqual(keyOf('item', 'a'))
})

test('a bag takes lists, separated texts and several fields, keeps the order, and stops at its limit', () => {
  const encoder = encoderOf({ name: 'tags', kind: 'ids', from: ['tags', 'extra'], limit: 3 })
  const batch = encoder.encode([
    row({ tags: ['x', 'y'], extra: 'z' }),
    row({ tags: 'x, y,,x' }),
    row({ tags: 'a,b,c,d' }),
    row({}),
    row({ tags: [], extra: '' }),
    row({ tags: ['x', {}, null, 3] }),
  ])
  const slot = only(batch)
  const tag = (value: unknown): [number, number] => keyOf('tags', value)
  expect(slot.pooling).toBe('mean')
  expect(keysAt(slot, 0)).toEqual([tag('x'), tag('y'), tag('z')])
  expect(keysAt(slot, 1)).toEqual([tag('x'), tag('y'), tag('x')])
  expect(keysAt(slot, 2)).toEqual([tag('a'), tag('b'), tag('c')])
  expect(keysAt(slot, 3)).toEqual([tag(undefined)])
  expect(keysAt(slot, 4)).toEqual([tag(undefined)])
  expect(keysAt(slot, 5)).toEqual([tag('x'), tag(3)])
  expect(encoder.counts()).toEqual([{ feature: 'tags', missing: 2, illTyped: 1 }])
})

test('a bucket is the number of boundaries at most the value, or floor(v / quantum), or logarithmic', () => {
  const values = [-5, -1, 0, 0.5, 1, 2, 3, 7, 100]
  const bucketsOf = (options: object): unknown[] => {
    const slot = only(
      encoderOf({ name: 'b', kind: 'bucket', ...options }).encode(values.map((b) => row({ b }))),
    )
    const name = new Map(
      Array.from({ length: 300 }, (_, i) => [String(keyOf('b', i - 150)), i - 150]),
    )
    return values.map((_, i) => name.get(String(keysAt(slot, i)[0])))
  }
  expect(bucketsOf({ boundaries: [0, 1, 10] })).toEqual([0, 0, 1, 1, 2, 2, 2, 2, 3])
  expect(bucketsOf({ quantum: 2 })).toEqual([-3, -1, 0, 0, 0, 1, 1, 3, 50])
  expect(bucketsOf({ log2: 1 })).toEqual([-2, -1, 0, 0, 1, 1, 2, 3, 6])
  expect(bucketsOf({ log2: 2 })).toEqual([-5, -2, 0, 1, 2, 3, 4, 6, 13])
})

test('hour and weekday are of the event time in the stated offset, before 1970 too', () => {
  const encoder = encoderOf(
    { name: 'hour', kind: 'hour', utc_offset_hours: 5.5 },
    { name: 'weekday', kind: 'weekday', utc_offset_hours: 5.5 },
  )
  const times = ['2022-04-25T18:29:59Z', '2022-04-25T18:30:00Z', '1969-12-31T18:29:00Z'].map(
    Date.parse,
  )
  const { slots } = encoder.encode(times.map((time) => row({}, time)))
  // 2022-04-25 was a Monday; 18:30 UTC is midnight in India.
  const expected: [number, number][] = [
    [23, 1],
    [0, 2],
    [23, 3],
  ]
  expected.forEach(([hour, weekday], i) => {
    expect(keysAt(slots[0]!, i)).toEqual([keyOf('hour', hour)])
    expect(keysAt(slots[1]!, i)).toEqual([keyOf('weekday', weekday)])
  })
})

function crossKey(slot: string, ...members: [number, number][]): [number, number] {
  const key = { hi: 0, lo: 0 }
  keys.writeCross(Uint32Array.from(members.flat()), keys.slotSeed(slot), key)
  return [key.hi, key.lo]
}

test('a cross has a key per combination, and of a bag every member is combined, up to the limit', () => {
  const encoder = encoderOf(
    { name: 'user', kind: 'id' },
    { name: 'tags', kind: 'ids', pooling: 'sum' },
    { name: 'hour', kind: 'hour' },
    { name: 'ut', kind: 'cross', of: ['user', 'tags'], limit: 2 },
    { name: 'uh', kind: 'cross', of: ['user', 'hour'] },
    { name: 'deep', kind: 'cross', of: ['uh', 'tags', 'user'] },
  )
  const { slots } = encoder.encode([row({ user: 'u', tags: 'a,b,c' }), row({})])
  const [u, a, b] = [keyOf('user', 'u'), keyOf('tags', 'a'), keyOf('tags', 'b')]
  const uh = crossKey('uh', u, keyOf('hour', 0))
  expect(slots.map(({ pooling }) => pooling)).toEqual([
    'single',
    'sum',
    'single',
    'mean',
    'single',
    'mean',
  ])
  expect(keysAt(slots[3]!, 0)).toEqual([crossKey('ut', u, a), crossKey('ut', u, b)])
  expect(keysAt(slots[4]!, 0)).toEqual([uh])
  expect(keysAt(slots[5]!, 0)).toHaveLength(3)
  expect(keysAt(slots[5]!, 0)[1]).toEqual(crossKey('deep', uh, b, u))
  expect(keysAt(slots[3]!, 1)).toEqual([crossKey('ut', keyOf('user', null), keyOf('tags', null))])
})

test('raw numbers are logged and clipped; missing and ill-typed ones are 0', () => {
  const encoder = encoderOf(
    { name: 'raw', kind: 'number', from: 'v', standardise: false, clip: 3 },
    { name: 'log', kind: 'number', from: 'v', standardise: false, log: true },
  )
  const values = [2, -2, 10, -1e9, undefined, 'x', Number.POSITIVE_INFINITY, true, 1n, 10n ** 400n]
  const { dense, denseWidth } = encoder.encode(values.map((v) => row({ v })))
  expect(denseWidth).toBe(2)
  const column = (c: number): number[] => values.map((_, i) => dense[2 * i + c]!)
  expect(column(0)).toEqual([2, -2, 3, -3, 0, 0, 0, 1, 1, 0])
  const [two, three, eleven] = [Math.log(2), Math.log(3), Math.log(11)]
  const logs = [three, -three, eleven, -5, 0, 0, 0, two, two, 0]
  expect(column(1)).toEqual(logs.map(Math.fround))
  expect(encoder.counts()[0]).toEqual({ feature: 'raw', missing: 1, illTyped: 3 })
})

test('standardisation encodes by what was learned before the batch, never by the batch itself', () => {
  const encoder = encoderOf({ name: 'v', kind: 'number', clip: 1e6 })
  const rows = (...values: unknown[]): FeatureRow[] => values.map((v) => row({ v }))
  expect([...encoder.encode(rows(5, 100)).dense]).toEqual([0, 0])
  expect([...encoder.encode(rows(5, 100)).dense]).toEqual([0, 0])
  encoder.learn(rows(2, 4, undefined, 'x', 4, 4, 5, 5, 7, 9)) // mean 5, deviation 2
  expect([...encoder.encode(rows(5, 9, 1, undefined)).dense]).toEqual([0, 2, -2, 0])
  encoder.learn([])
  expect([...encoder.encode(rows(9)).dense]).toEqual([2])
})

test('running moments equal the two-pass ones on any history, cut anywhere', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 60 }),
      fc.nat(60),
      (values, cut) => {
        const whole = encoderOf({ name: 'v', kind: 'number' })
        whole.learn(values.map((v) => row({ v })))
        const parts = encoderOf({ name: 'v', kind: 'number' })
        parts.learn(values.slice(0, cut).map((v) => row({ v })))
        const resumed = encoderOf({ name: 'v', kind: 'number' })
        resumed.restore(parts.snapshot())
        resumed.learn(values.slice(cut).map((v) => row({ v })))
        expect(resumed.snapshot()).toEqual(whole.snapshot())
        const mean = values.reduce((a, b) => a + b, 0) / values.length
        const squares = values.reduce((a, b) => a + (b - mean) ** 2, 0)
        const [count, runningMean, runningSquares] = whole.statistics()
        expect(count).toBe(values.length)
        expect(Math.abs(runningMean! - mean)).toBeLessThan(1e-8 * (1 + Math.abs(mean)) + 1e-6)
        expect(Math.abs(runningSquares! - squares)).toBeLessThan(1e-8 * squares + 1e-3)
      },
    ),
    { seed: 20260101, numRuns: 200 },
  )
})

test('an encoder restored, or given the statistics of another, encodes like it', () => {
  const features = [
    { name: 'v', kind: 'number' },
    { name: 'w', kind: 'number', log: true },
    { name: 'id', kind: 'id' },
  ]
  const trainer = encoderOf(...features)
  trainer.learn([row({ v: 1, w: 10 }), row({ v: 5, w: -3 }), row({ v: 2 })])
  trainer.encode([row({ v: 'bad' })])
  const batch = [row({ v: 3, w: 4, id: 'a' }), row({ v: -1, id: 2 })]
  const restored = encoderOf(...features)
  restored.restore(trainer.snapshot())
  const scorer = encoderOf(...features)
  scorer.setStatistics(trainer.statistics())
  const expected = trainer.encode(batch)
  expect(restored.encode(batch)).toEqual(expected)
  expect(scorer.encode(batch)).toEqual(expected)
  expect(restored.snapshot()).toEqual(trainer.snapshot())
  expect(expected.dense.every((x) => x !== 0)).toBe(false)
  expect(expected.dense.some((x) => x !== 0)).toBe(true)
})

test('a snapshot of another spec is refused', () => {
  const one = encoderOf({ name: 'v', kind: 'number' })
  const other = encoderOf({ name: 'u', kind: 'number' })
  expect(() => other.restore(one.snapshot())).toThrow(/encoder state of spec/)
})

test('rows are encoded one by one as in a batch, whatever the fields hold', () => {
  const anything = fc.dictionary(
    fc.constantFrom('user', 'tags', 'b', 'v'),
    fc.oneof(fc.anything(), fc.string(), fc.integer(), fc.array(fc.string())),
  )
  const features = [
    { name: 'user', kind: 'id' },
    { name: 'tags', kind: 'ids' },
    { name: 'b', kind: 'bucket', log2: 2 },
    { name: 'c', kind: 'cross', of: ['user', 'tags'] },
    { name: 'v', kind: 'number', standardise: false },
  ]
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 8 }), (history) => {
      const rows = history.map((fields, i) => row(fields, i * 1e7))
      const batch = encoderOf(...features).encode(rows)
      const single = encoderOf(...features)
      rows.forEach((one, i) => {
        const alone = single.encode([one])
        alone.slots.forEach((slot, s) => {
          expect(keysAt(slot, 0)).toEqual(keysAt(batch.slots[s]!, i))
          expect(slot.hi.length).toBeGreaterThan(0)
        })
        expect(alone.dense[0]).toBe(batch.dense[i])
        expect(Number.isFinite(batch.dense[i])).toBe(true)
      })
    }),
    { seed: 20260102, numRuns: 300 },
  )
})
