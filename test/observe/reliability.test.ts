import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reliabilityBins } from '../../src/observe/reliability.ts'
import { randomFrom } from '../../src/random.ts'

test('bins of a model that tells the truth lie on the diagonal, within their intervals', () => {
  const random = randomFrom(7)
  const probabilities = Float64Array.from({ length: 40_000 }, () => random.uniform() ** 3)
  const labels = probabilities.map((probability) => (random.uniform() < probability ? 1 : 0))
  const bins = reliabilityBins(probabilities, labels)
  expect(bins).toHaveLength(10)
  const inside = bins.filter(({ predicted, low, high }) => low <= predicted && predicted <= high)
  expect(inside.length).toBeGreaterThanOrEqual(8)
  for (const { samples } of bins) expect(Math.abs(samples - 4000)).toBeLessThan(400)
})

test('the bins hold every sample once, in the order of their predictions', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), {
        minLength: 1,
      }),
      (rows) => {
        const bins = reliabilityBins(
          rows.map(([probability]) => probability),
          rows.map(([, label]) => (label ? 1 : 0)),
        )
        const samples = bins.reduce((sum, bin) => sum + bin.samples, 0)
        const positives = bins.reduce((sum, bin) => sum + bin.samples * bin.observed, 0)
        expect(samples).toBe(rows.length)
        expect(positives).toBeCloseTo(rows.filter(([, label]) => label).length)
        for (const { observed, low, high } of bins) {
          expect(low).toBeLessThanOrEqual(observed + 1e-12)
          expect(high).toBeGreaterThanOrEqual(observed - 1e-12)
        }
      },
    ),
  )
})

test('no sample gives no bin', () => {
  expect(reliabilityBins([], [])).toEqual([])
})
