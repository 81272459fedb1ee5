/** @file The corrected losses against the theory: where the expected gradient over a stream with known p is zero, sigmoid(z) is p. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crossEntropyOfLogits } from '../../src/tensors/binary-cross-entropy.ts'
import {
  type CorrectedRows,
  correctedCrossEntropy,
  type DelayCorrection,
} from '../../src/train/corrected-loss.ts'
import { finiteDifference } from './central-difference.ts'

/** One row as the stream has it, and how often it comes. */
interface StreamRow {
  readonly share: number
  readonly label: 0 | 1
  readonly latePositive?: true
  readonly unpaired?: true
}

/** The stream of `fast` emission, negatives kept at rate w: every impression as a negative, positives once more. */
function fastStream(p: number, w: number): StreamRow[] {
  return [
    { share: w, label: 0 },
    { share: p * w, label: 1, latePositive: true },
    { share: p * (1 - w), label: 1, latePositive: true, unpaired: true },
  ]
}

/** The same with a wait: a share `early` of the positives is there before the first row leaves. */
function observedStream(p: number, early: number): StreamRow[] {
  return [
    { share: p * early, label: 1 },
    { share: 1 - p * early, label: 0 },
    { share: p * (1 - early), label: 1, latePositive: true },
  ]
}

function rowsOf(stream: readonly StreamRow[], realNegative = 1): CorrectedRows {
  return {
    labels: Float64Array.from(stream, (row) => row.label),
    weights: Float64Array.from(stream, (row) => row.share),
    latePositive: Uint8Array.from(stream, (row) => (row.latePositive ? 1 : 0)),
    unpaired: Float32Array.from(stream, (row) => (row.unpaired ? 1 : 0)),
    realNegative: new Float32Array(stream.length).fill(realNegative),
    logDrawRates: undefined,
    normalizer: 1,
  }
}

/** Where the expected gradient changes its sign, by bisection: what a model converges to. */
function fixedPoint(rows: CorrectedRows, delay: DelayCorrection, w = 1): number {
  const logKeepRate = Math.log(w)
  let low = -30
  let high = 30
  for (let i = 0; i < 200; i++) {
    const z = (low + high) / 2
    const logits = new Float64Array(rows.labels.length).fill(z)
    const { gradient } = correctedCrossEntropy(logits, rows, { delay, logKeepRate })
    if (gradient.reduce((sum, one) => sum + one, 0) > 0) high = z
    else low = z
  }
  return 1 / (1 + Math.exp(-(low + high) / 2))
}

const probability = fc.double({ min: 0.005, max: 0.9, noNaN: true })
const keepRate = fc.double({ min: 0.01, max: 1, noNaN: true })

describe('the fixed point', () => {
  it('of a fast stream without correction is p / (1 + p), as the theory says', () => {
    fc.assert(
      fc.property(probability, (p) => {
        expect(fixedPoint(rowsOf(fastStream(p, 1)), 'none')).toBeCloseTo(p / (1 + p), 6)
      }),
    )
  })

  it.each(['fnc', 'fnw', 'retraction'] as const)(
    'of a fast stream with %s is p, at every keep rate',
    (delay) => {
      fc.assert(
        fc.property(probability, keepRate, (p, w) => {
          expect(fixedPoint(rowsOf(fastStream(p, w)), delay, w)).toBeCloseTo(p, 6)
        }),
      )
    },
  )

  it.each(['es-dfm', 'retraction'] as const)(
    'of a stream that waits a little with %s is p',
    (delay) => {
      fc.assert(
        fc.property(probability, fc.double({ min: 0, max: 1, noNaN: true }), (p, early) => {
          const late = p * (1 - early)
          const realNegative = (1 - p) / (1 - p + late)
          const rows = rowsOf(observedStream(p, early), realNegative)
          expect(fixedPoint(rows, delay)).toBeCloseTo(p, 6)
        }),
      )
    },
  )

  it('of final labels with sampled negatives is p at every keep rate, and the odds are off by w without correction', () => {
    fc.assert(
      fc.property(probability, keepRate, (p, w) => {
        const rows = rowsOf([
          { share: p, label: 1 },
          { share: (1 - p) * w, label: 0 },
        ])
        expect(fixedPoint(rows, 'none', w)).toBeCloseTo(p, 6)
        expect(fixedPoint(rows, 'none')).toBeCloseTo(p / (p + (1 - p) * w), 6)
      }),
    )
  })
})

describe('the corrected loss', () => {
  const drawn = fc.record({
    z: fc.double({ min: -20, max: 20, noNaN: true }),
    label: fc.constantFrom<0 | 1>(0, 1),
    weight: fc.constantFrom(0, 0.5, 1, 3),
    w: keepRate,
  })

  it('without a correction is the plain cross-entropy', () => {
    fc.assert(
      fc.property(fc.array(drawn, { minLength: 1 }), (rows) => {
        const logits = Float64Array.from(rows, (row) => row.z)
        const labels = Float64Array.from(rows, (row) => row.label)
        const weights = Float64Array.from(rows, (row) => row.weight)
        const none = {
          latePositive: undefined,
          unpaired: undefined,
          realNegative: undefined,
          logDrawRates: undefined,
        }
        const found = correctedCrossEntropy(
          logits,
          { labels, weights, normalizer: 7, ...none },
          { delay: 'none', logKeepRate: 0 },
        )
        const plain = crossEntropyOfLogits(logits, labels, weights, 7)
        expect(found.loss).toBeCloseTo(plain.loss, 12)
        expect([...found.gradient]).toEqual([...plain.gradient])
      }),
    )
  })

  it.each(['none', 'fnc'] as const)('of %s has the derivative of its loss as gradient', (delay) => {
    fc.assert(
      fc.property(drawn, ({ z, label, w }) => {
        const rows = rowsOf([{ share: 1, label }])
        const correction = { delay, logKeepRate: Math.log(w) }
        const lossAt = (at: number): number =>
          correctedCrossEntropy(Float64Array.of(at), rows, correction).loss
        const { gradient } = correctedCrossEntropy(Float64Array.of(z), rows, correction)
        expect(gradient[0]).toBeCloseTo(finiteDifference(lossAt, z), 5)
      }),
    )
  })

  it('moves no logit by more than the weight of its row, and a retraction by exactly that', () => {
    const delay = fc.constantFrom<DelayCorrection>('none', 'fnc', 'fnw', 'es-dfm', 'retraction')
    const extreme = fc.double({ min: -1000, max: 1000, noNaN: true })
    fc.assert(
      fc.property(delay, extreme, keepRate, fc.nat(2), (which, z, w, row) => {
        const stream = fastStream(0.5, 0.5).map((one) => ({ ...one, share: 1 }))
        const rows = rowsOf([stream[row]!], 0.7)
        const correction = { delay: which, logKeepRate: Math.log(w) }
        const { loss, gradient } = correctedCrossEntropy(Float64Array.of(z), rows, correction)
        expect(loss).toBeGreaterThanOrEqual(0)
        expect(Math.abs(gradient[0]!)).toBeLessThanOrEqual(1)
        if (which === 'retraction' && row === 1) expect(gradient[0]).toBe(-1)
      }),
      { numRuns: 500 },
    )
  })
})
