/** @file What a feature list may say, and the spec that it compiles to. */

import { expect, test } from 'vitest'
import { featureListOptions } from '../../src/features/feature-options.ts'
import { compileFeatures, featureSpecFromJson } from '../../src/features/feature-spec.ts'

const compile = (features: unknown[]): ReturnType<typeof compileFeatures> =>
  compileFeatures(featureListOptions.parse(features))

function issuesOf(features: unknown[]): string[] {
  const result = featureListOptions.safeParse(features)
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`)
}

test('slots and dense columns keep the order of the declaration', () => {
  const spec = compile([
    { name: 'user', kind: 'id' },
    { name: 'age', kind: 'number' },
    { name: 'tags', kind: 'ids', pooling: 'sum' },
    { name: 'price', kind: 'number', log: true },
    { name: 'hour', kind: 'hour', utc_offset_hours: 8 },
  ])
  expect(spec.slots.map(({ name, pooling }) => `${name} ${pooling}`)).toEqual([
    'user single',
    'tags sum',
    'hour single',
  ])
  expect(spec.denseNames).toEqual(['age', 'price'])
  expect(spec.denseWidth).toBe(2)
})

test('the hash does not depend on how the options were written, and does on what they say', () => {
  const hash = compile([{ name: 'user', kind: 'id', from: 'u' }]).hash
  expect(compile([{ from: 'u', kind: 'id', name: 'user' }]).hash).toBe(hash)
  expect(compile([{ name: 'user', kind: 'id', from: 'v' }]).hash).not.toBe(hash)
  expect(compile([{ name: 'v', kind: 'number' }]).hash).toBe(
    compile([{ name: 'v', kind: 'number', standardise: true, clip: 5, log: false }]).hash,
  )
})

test('a spec read back from its JSON is the same spec', () => {
  const spec = compile([
    { name: 'user', kind: 'id' },
    { name: 'b', kind: 'bucket', boundaries: [1, 2.5] },
    { name: 'x', kind: 'cross', of: ['user', 'b'] },
  ])
  expect(featureSpecFromJson(spec.json)).toEqual(spec)
  expect(() => featureSpecFromJson('{"a":1}')).toThrow(/not a feature spec/)
  expect(() => featureSpecFromJson('nonsense')).toThrow(/not a feature spec/)
})

test('mistakes are named with their place', () => {
  expect(
    issuesOf([
      { name: 'user', kind: 'id' },
      { name: 'user', kind: 'hour' },
    ]),
  ).toEqual(['1.name: "user" is declared twice'])
  expect(
    issuesOf([
      { name: 'age', kind: 'number' },
      { name: 'x', kind: 'cross', of: ['age', 'later'] },
      { name: 'later', kind: 'id' },
    ]),
  ).toEqual([
    '1.of: "age" must be a feature above this one that gives ids',
    '1.of: "later" must be a feature above this one that gives ids',
  ])
  expect(issuesOf([{ name: 'b', kind: 'bucket' }])).toEqual([
    '0: needs exactly one of boundaries, quantum and log2',
  ])
  expect(issuesOf([{ name: 'b', kind: 'bucket', boundaries: [2, 1] }])).toEqual([
    '0.boundaries: must ascend',
  ])
  expect(issuesOf([{ name: '9x', kind: 'id' }])).toHaveLength(1)
  expect(issuesOf([])).toHaveLength(1)
})
