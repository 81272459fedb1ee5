/** @file Labels of samples, task-major. */

import { expect, test } from 'vitest'
import { batchLabels, finalLabels } from '../../src/features/batch-labels.ts'
import type { Sample } from '../../src/samples/sample.ts'
import { plainSample } from '../samples/plain-sample.ts'

function sample(labels: number[], mask: number[], weight: number): Sample {
  return plainSample({ labels: Float32Array.from(labels), mask: Uint8Array.from(mask), weight })
}

test('labels are task-major and an unknown label leaves no trace, NaN included', () => {
  const batch = batchLabels([sample([1, Number.NaN], [1, 0], 2), sample([0, 1], [1, 1], 0.5)], 2)
  expect(batch).toEqual({
    labels: Float32Array.of(1, 0, 0, 1),
    mask: Float32Array.of(1, 1, 0, 1),
    weights: Float32Array.of(2, 0.5),
  })
})

test('what a row teaches and what it knows are two things', () => {
  const learned = Uint8Array.of(0, 1)
  const provisional = plainSample({ role: 'provisional', mask: Uint8Array.of(0, 0), learned })
  const none = Uint8Array.of(0, 0)
  const late = plainSample({ role: 'late-positive', mask: none, learned, late: learned })
  const unpaired = plainSample({ role: 'late-positive', mask: none, learned, late: none })
  const matured = plainSample({ role: 'matured', learned: Uint8Array.of(0, 0) })
  const rows = [provisional, late, unpaired, matured]
  expect(batchLabels(rows, 2)).toMatchObject({
    mask: Float32Array.of(0, 0, 0, 0, 1, 1, 1, 0),
    latePositive: Uint8Array.of(0, 1, 1, 0),
    unpaired: Float32Array.of(0, 0, 0, 0, 0, 0, 1, 0),
  })
  expect(finalLabels(rows, 2)).toEqual({
    labels: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 0),
    mask: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1),
  })
})
