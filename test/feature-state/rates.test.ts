/** @file Streaming rates against a slow recomputation from the whole history, and what caps promise. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FeatureState } from '../../src/feature-state/feature-state.ts'
import { FeatureEncoder } from '../../src/features/encode.ts'
import { featureListOptions } from '../../src/features/feature-options.ts'
import { compileFeatures } from '../../src/features/feature-spec.ts'
import type { Sample } from '../../src/samples/sample.ts'
import { type Drawn, drawnSample, encoderWith, sampleOf, TASKS } from './labelled-samples.ts'

const HOUR = 3_600_000
const HALF_LIVES = [1, 24]
const SMOOTHING = 3

const userRate = {
  name: 'user_rate',
  kind: 'rate',
  of: ['user'],
  tasks: ['like', 'click'],
  half_life_hours: HALF_LIVES,
  smoothing: SMOOTHING,
}

/** Positives and labels of the samples that `counts`, each worth half per half-life before `now`. */
function decayed(history: readonly Drawn[], task: number, hours: number, now: number) {
  let [positives, labels] = [0, 0]
  for (const { time, mask, labels: values } of history) {
    if (mask[task] !== 1) continue
    const weight = 2 ** ((time - now) / (hours * HOUR))
    positives += weight * values[task]!
    labels += weight
  }
  return { positives, labels }
}

/** The columns of one key, from the definition: samples of the key, and all samples for the stream's rate. */
function expected(own: readonly Drawn[], all: readonly Drawn[], now: number): number[] {
  return HALF_LIVES.flatMap((hours) => {
    const rates = [1, 0].map((task) => {
      if (own.length === 0) return 0
      // The stream's rate is of the time of its newest label of any task, as its start (half a positive of one) does not decay.
      const newest = Math.max(...all.map(({ time }) => time))
      const stream = decayed(all, task, hours, newest)
      const base = (stream.positives + 0.5) / (stream.labels + 1)
      const { positives, labels } = decayed(own, task, hours, now)
      const odds = (positives + SMOOTHING * base) / (labels - positives + SMOOTHING * (1 - base))
      return Math.log(odds) - Math.log(base / (1 - base))
    })
    return [...rates, own.length === 0 ? 0 : Math.log1p(decayed(own, 1, hours, now).labels)]
  })
}

const known = (history: readonly Drawn[]): Drawn[] => history.filter(({ mask }) => mask.includes(1))

test('a rate is the smoothed log-odds against the stream of all labels learned before, each decayed by its age', () => {
  fc.assert(
    fc.property(fc.array(drawnSample, { maxLength: 40 }), drawnSample, (history, next) => {
      const { encoder } = encoderWith(userRate)
      for (const [i, drawn] of history.entries()) {
        const samples = [sampleOf(drawn, `${i}`)]
        encoder.encodeSamples(samples)
        encoder.settle(samples)
      }
      const newest = Math.max(next.time, ...history.map(({ time }) => time))
      const { dense, denseWidth } = encoder.encode([sampleOf({ ...next, time: newest }, 'next')])
      expect(denseWidth).toBe(6)
      const all = known(history)
      const own = all.filter(({ user }) => user === next.user)
      for (const [c, value] of expected(own, all, newest).entries()) {
        expect(dense[c], `column ${c}`).toBeCloseTo(value, 4)
      }
    }),
    { seed: 20260301, numRuns: 200 },
  )
})

test('a batch is encoded before any of its labels is learned, and no later row of an impression sees its first label', () => {
  const { encoder } = encoderWith({ ...userRate, half_life_hours: [24], counts: false })
  const first = (id: string, mask: number[]): Sample =>
    sampleOf({ user: 'a', tags: [], time: 1_700_000_000_000, labels: [1, 1], mask }, id)
  const rows = [first('x', [1, 0]), first('y', [1, 1])]
  expect([...encoder.encodeSamples(rows).dense]).toEqual([0, 0, 0, 0])
  encoder.settle(rows)
  const later = [first('x', [0, 1])]
  expect([...encoder.encodeSamples(later).dense]).toEqual([0, 0])
  encoder.settle(later)
  // Every label of x has come: what is encoded under its name now is a new impression, which sees them.
  const [like, click] = encoder.encodeSamples([first('x', [1, 1])]).dense
  expect(like).toBeGreaterThan(0)
  expect(click).toBeGreaterThan(0)
})

test('of a bag the columns are the mean over its keys; a key without labels counts as 0', () => {
  const tagRate = { ...userRate, name: 'tag_rate', of: ['tags'], half_life_hours: [24] }
  const { encoder } = encoderWith(tagRate)
  const drawn = { user: 'a', time: 1_700_000_000_000, labels: [1, 0], mask: [1, 1] }
  encoder.settle([
    sampleOf({ ...drawn, tags: ['a'] }, '1'),
    sampleOf({ ...drawn, tags: ['b'], labels: [0, 1] }, '2'),
  ])
  const columns = (tags: string[]): number[] => [
    ...encoder.encode([sampleOf({ ...drawn, tags }, '3')]).dense,
  ]
  const [a, b] = [columns(['a']), columns(['b'])]
  for (const [c, value] of columns(['a', 'b', 'c']).entries()) {
    expect(value).toBeCloseTo((a[c]! + b[c]!) / 3, 6)
  }
})

test('negatives that are thinned out count through those that are learned from', () => {
  const spec = compileFeatures(
    featureListOptions.parse([
      { name: 'user', kind: 'id' },
      { ...userRate, half_life_hours: [24] },
    ]),
  )
  const state = new FeatureState(spec, TASKS, { negativeWeights: [10, 1] })
  const encoder = new FeatureEncoder(spec, state)
  const drawn = { user: 'a', tags: [], time: 1_700_000_000_000, labels: [0, 0], mask: [1, 1] }
  const left = { ...sampleOf(drawn, '2'), learned: Uint8Array.of(0, 1) }
  encoder.settle([sampleOf(drawn, '1'), left, sampleOf({ ...drawn, labels: [1, 0] }, '3')])
  const table = state.tables.get('user_rate')!
  // Positives and labels of like, then of click: one negative for ten, the other left out, one positive.
  expect([...table.valuesOf(0).subarray(2)]).toEqual([0, 3, 1, 11])
})

test('one user moves a key by no more labels than the cap in a window; others still count, and so does the next window', () => {
  const cap = { by: 'user', most: 4, per_hours: 2 }
  fc.assert(
    fc.property(fc.array(drawnSample, { minLength: 1, maxLength: 60 }), (history) => {
      const { encoder, state } = encoderWith({
        ...userRate,
        name: 'tag_rate',
        of: ['tags'],
        half_life_hours: [87_600],
        cap,
      })
      const ordered = [...history].sort((a, b) => a.time - b.time)
      encoder.settle(ordered.map((drawn, i) => sampleOf(drawn, `${i}`)))
      const counted = new Map<string, number>()
      let [refused, taken] = [0, 0]
      for (const { user, tags, time, mask } of ordered) {
        for (const tag of tags.length === 0 ? [''] : tags) {
          for (const [task, one] of mask.entries()) {
            if (one !== 1) continue
            const key = [user, tag, task, Math.floor(time / (2 * HOUR))].join()
            const before = counted.get(key) ?? 0
            counted.set(key, before + 1)
            if (before < cap.most) taken += 1
            else refused += 1
          }
        }
      }
      expect(state.refused).toBe(refused)
      const table = state.tables.get('tag_rate')!
      let labels = 0
      // Row by row: two floats of time, then positives and labels of like and of click. The stream's own row counts everything.
      for (let row = 0; row < table.rows; row++) {
        const values = table.valuesOf(row)
        labels += values[3]! + values[5]!
      }
      const all = ordered.reduce((sum, { mask }) => sum + mask[0]! + mask[1]!, 0)
      expect(labels).toBeCloseTo(taken + all, 1)
    }),
    { seed: 20260302, numRuns: 100 },
  )
})
