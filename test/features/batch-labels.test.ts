/** @file Labels of samples, task-major. */

import { expect, test } from 'vitest'
import { batchLabels } from '../../src/features/batch-labels.ts'
import type { Sample } from '../../src/samples/sample.ts'

function sample(labels: number[], mask: number[], weight: number): Sample {
  return {
    id: 'i',
    key: 'k',
    time: 0,
    maturedAt: 1,
    fields: {},
    labels: Float32Array.from(labels),
    mask: Uint8Array.from(mask),
    weight,
  }
}

test('labels are task-major and an unknown label leaves no trace, NaN included', () => {
  const batch = batchLabels([sample([1, Number.NaN], [1, 0], 2), sample([0, 1], [1, 1], 0.5)], 2)
  expect(batch).toEqual({
    labels: Float32Array.of(1, 0, 0, 1),
    mask: Float32Array.of(1, 1, 0, 1),
    weights: Float32Array.of(2, 0.5),
  })
})
