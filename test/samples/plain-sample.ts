/** @file Samples for tests: a final row of two tasks with both labels known, unless told otherwise. */

import type { Sample } from '../../src/samples/sample.ts'

/** `learned` is the mask unless it is given. */
export function plainSample(given: Partial<Sample> = {}): Sample {
  const labels = given.labels ?? Float32Array.of(1, 0)
  const mask = given.mask ?? new Uint8Array(labels.length).fill(1)
  return {
    role: 'final',
    id: 'i',
    key: 'k',
    time: 0,
    maturedAt: 1,
    fields: {},
    labels,
    mask,
    learned: mask,
    late: new Uint8Array(labels.length),
    weight: 1,
    ...given,
  }
}
