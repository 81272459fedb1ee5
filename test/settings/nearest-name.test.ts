import fc from 'fast-check'
import { expect, test } from 'vitest'
import { editDistance, nearestName } from '../../src/settings/nearest-name.ts'

const word = fc.stringMatching(/^[abc]{0,6}$/)

test('the distance is a metric that counts a swap of neighbours as one', () => {
  expect(editDistance('batch', 'bacth')).toBe(1)
  expect(editDistance('kitten', 'sitting')).toBe(3)
  fc.assert(
    fc.property(word, word, (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a))
      expect(editDistance(a, b) === 0).toBe(a === b)
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length))
      expect(editDistance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
    }),
    { seed: 61 },
  )
})

test('a name is only suggested when it is close', () => {
  const known = ['learning_rate', 'batch', 'seed']
  expect(nearestName('learningrate', known)).toBe('learning_rate')
  expect(nearestName('Batch', known)).toBe('batch')
  expect(nearestName('sed', known)).toBe('seed')
  expect(nearestName('window', known)).toBeUndefined()
  expect(nearestName('x', [])).toBeUndefined()
})
