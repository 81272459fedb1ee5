import { expect, test } from 'vitest'
import { unreachedByErasure } from '../../src/features/erasable-options.ts'
import { featureListOptions } from '../../src/features/feature-options.ts'

const ABOVE = [
  { name: 'user', kind: 'id', from: 'user_id' },
  { name: 'tab', kind: 'id' },
  { name: 'item', kind: 'id' },
  { name: 'user_tab', kind: 'cross', of: ['user', 'tab'] },
]

function whyOf(feature: Readonly<Record<string, unknown>>): string | undefined {
  const features = featureListOptions.parse([...ABOVE, { name: 'last', ...feature }])
  const [found, ...others] = unreachedByErasure(features, 'user_id')
  expect(others).toEqual([])
  if (found !== undefined) expect(found.index).toBe(ABOVE.length)
  return found?.why
}

test.each([
  { kind: 'id', from: 'user_id' },
  { kind: 'cross', of: ['tab', 'user'] },
  { kind: 'cross', of: ['tab', 'item', 'tab'] },
  { kind: 'rate', of: ['user'], tasks: ['click'] },
  { kind: 'rate', of: ['item', 'user'], tasks: ['click'] },
  { kind: 'last_seen', of: ['user_tab', 'user'] },
  { kind: 'history', of: ['user'], items: 'item', tasks: ['click'] },
])('a tombstone reaches %j', (feature) => {
  expect(whyOf(feature)).toBeUndefined()
})

test.each([
  [{ kind: 'cross', of: ['user', 'tab', 'item'] }, 'combines user with more than one other'],
  [{ kind: 'rate', of: ['tab', 'item', 'user'], tasks: ['click'] }, 'combines user with more than'],
  [{ kind: 'cross', of: ['user_tab', 'item'] }, 'is made of user_tab'],
  [{ kind: 'last_seen', of: ['user_tab'] }, 'is made of user_tab'],
  [{ kind: 'history', of: ['tab'], items: 'user', tasks: ['click'] }, 'remembers values of user'],
  [{ kind: 'ids', from: ['item', 'user_id'] }, 'reads user_id as ids'],
  [{ kind: 'bucket', from: 'user_id', quantum: 1 }, 'reads user_id as bucket'],
])('a tombstone does not reach %j', (feature, why) => {
  expect(whyOf(feature)).toContain(why)
})
