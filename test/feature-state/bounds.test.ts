/** @file Tables of feature state under a bound: rows go by age, room is never taken beyond it, and what went is as never seen. */

import { expect, test } from 'vitest'
import { stateDietOptions } from '../../src/embeddings/diet-options.ts'
import { FeatureState } from '../../src/feature-state/feature-state.ts'
import { FeatureEncoder } from '../../src/features/encode.ts'
import { featureListOptions } from '../../src/features/feature-options.ts'
import { compileFeatures } from '../../src/features/feature-spec.ts'
import { featureStateSections, readFeatureState } from '../../src/publish/feature-state-section.ts'
import { plainSample } from '../samples/plain-sample.ts'

const HOUR = 3_600_000
const START = 1_700_000_000_000
const FEATURES = [
  { name: 'user', kind: 'id' },
  { name: 'rates', kind: 'rate', of: ['user'], tasks: ['click'] },
  { name: 'seen', kind: 'last_seen', of: ['user'] },
  { name: 'past', kind: 'history', of: ['user'], items: 'user', tasks: ['click'], last: 2 },
]

function bounded(diet: object) {
  const spec = compileFeatures(featureListOptions.parse(FEATURES))
  const state = new FeatureState(spec, ['click', 'like'], { diet: stateDietOptions.parse(diet) })
  const encoder = new FeatureEncoder(spec, state)
  const learn = (user: string, time: number): void => {
    state.advance(time)
    encoder.settle([plainSample({ id: `${user}${time}`, time, fields: { user } })])
    state.tidy()
  }
  return { spec, state, encoder, learn }
}

test('rows that were not learned from for so long are given up, the stream itself never is, and a delta says so', () => {
  const { spec, state, encoder, learn } = bounded({ expire_hours: 8 })
  learn('old', START)
  learn('new', START + 5 * HOUR)
  const follower = new FeatureState(spec, ['click', 'like'])
  const whole = readFeatureState(follower, featureStateSections(state, 'full'))
  // Of rates the stream has a row, too.
  expect(whole.map(({ rows }) => rows.keys.length / 2)).toEqual([3, 2, 2])
  state.published()
  learn('new', START + 10 * HOUR)
  const counts = Array.from(state.tables.values(), ({ used }) => used)
  expect(counts).toEqual([2, 1, 1])
  const delta = readFeatureState(follower, featureStateSections(state, 'delta'))
  expect(delta.map(({ removed }) => removed.length)).toEqual([2, 2, 2])
  const row = { fields: { user: 'old' }, time: START + 10 * HOUR }
  const never = { ...row, fields: { user: 'never' } }
  const [gone, unknown] = [encoder.encode([row]), encoder.encode([never])]
  expect(gone.dense).toEqual(unknown.dense)
  expect(gone.slots[1]?.hi.length).toBe(0)
  expect(state.tables.get('seen')?.life?.evicted.age).toBe(1)
})

test('no table grows beyond its bound', () => {
  const most = 1
  const { state, learn } = bounded({ most_mb: most })
  for (let n = 0; n < 40_000; n++) learn(`u${n}`, START + n)
  for (const [name, table] of state.tables) {
    expect(table.bytes.totalBytes, name).toBeLessThanOrEqual(most * 2 ** 20)
    expect(table.used, name).toBeGreaterThan(5_000)
  }
  const evicted = Array.from(state.tables.values(), ({ life }) => life?.evicted.score ?? 0)
  expect(evicted.every((count) => count > 0)).toBe(true)
})
