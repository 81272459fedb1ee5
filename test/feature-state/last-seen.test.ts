/** @file When a key was last seen, as an input. */

import { expect, test } from 'vitest'
import { encoderWith, sampleOf } from './labelled-samples.ts'

const MINUTE = 60_000
const START = 1_700_000_000_000

const at = (minutes: number, user = 'a', tags: readonly string[] = []) =>
  sampleOf(
    { user, tags, time: START + minutes * MINUTE, labels: [0, 0], mask: [0, 1] },
    `${minutes}`,
  )

test('the input is 1 just now, falls with the logarithm of the time since, and is 0 for a key never seen', () => {
  const { encoder } = encoderWith({
    name: 'seen',
    kind: 'last_seen',
    of: ['user'],
    scale_minutes: 10,
  })
  encoder.settle([at(0)])
  const input = (minutes: number, user?: string): number =>
    encoder.encode([at(minutes, user)]).dense[0]!
  expect(input(0)).toBe(1)
  expect(input(10 * (Math.E - 1))).toBeCloseTo(0.5, 6)
  expect(input(60)).toBeCloseTo(1 / (1 + Math.log(7)), 6)
  expect(input(0, 'b')).toBe(0)
  encoder.settle([at(50), at(30)])
  expect(input(50), 'an older impression does not set it back').toBe(1)
})

test('of a bag the most recent key counts; several features combine to one key', () => {
  const { encoder } = encoderWith(
    { name: 'tag_seen', kind: 'last_seen', of: ['tags'] },
    { name: 'pair_seen', kind: 'last_seen', of: ['user', 'tags'] },
  )
  encoder.settle([at(0, 'a', ['a']), at(20, 'a', ['b'])])
  const [tag, pair] = encoder.encode([at(30, 'b', ['a', 'b'])]).dense
  expect(tag).toBeCloseTo(1 / (1 + Math.log(2)), 6)
  expect(pair).toBe(0)
})
