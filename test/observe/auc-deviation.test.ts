/** @file Bounds of an AUC by formula, beside those by resampling. */

import { expect, test } from 'vitest'
import { auc } from '../../src/observe/auc.ts'
import { aucBounds } from '../../src/observe/auc-deviation.ts'
import { aucInterval } from '../../src/observe/auc-interval.ts'
import { randomFrom } from '../../src/random.ts'

test('the bounds are about those that resampling gives, and none where a class is missing', () => {
  const random = randomFrom(3)
  const labels = Float32Array.from({ length: 4_000 }, () => (random.uniform() < 0.05 ? 1 : 0))
  const scores = Float32Array.from(labels, (label) => random.normal() + label)
  const positives = labels.reduce((sum, label) => sum + label, 0)
  const bounds = aucBounds(auc(scores, labels), positives, labels.length)
  const resampled = aucInterval(scores, labels, { seed: 1 })
  expect(Math.abs(bounds!.low - resampled!.low)).toBeLessThan(0.015)
  expect(Math.abs(bounds!.high - resampled!.high)).toBeLessThan(0.015)
  expect(aucBounds(0.7, 0, 10)).toBeUndefined()
  expect(aucBounds(undefined, 5, 10)).toBeUndefined()
})
