import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { auc } from '../../src/observe/auc.ts'
import { aucInterval } from '../../src/observe/auc-interval.ts'
import { groupedAuc } from '../../src/observe/grouped-auc.ts'
import { randomFrom } from '../../src/random.ts'

/** Scores on a coarse grid, so that ties are the rule. */
const scored = fc.array(fc.record({ score: fc.integer({ min: -3, max: 6 }), label: fc.nat(1) }), {
  maxLength: 60,
})

/** The definition: every pair of a positive and a negative is looked at. */
function aucByPairs(rows: readonly { score: number; label: number }[]): number | undefined {
  const positives = rows.filter((row) => row.label === 1)
  const negatives = rows.filter((row) => row.label === 0)
  let sum = 0
  for (const positive of positives) {
    for (const negative of negatives) {
      if (positive.score > negative.score) sum += 1
      if (positive.score === negative.score) sum += 0.5
    }
  }
  const pairs = positives.length * negatives.length
  return pairs === 0 ? undefined : sum / pairs
}

describe('auc', () => {
  test('is the share of pairs ranked right, ties counting half', () => {
    fc.assert(
      fc.property(scored, (rows) => {
        const scores = rows.map((row) => row.score)
        const labels = rows.map((row) => row.label)
        expect(auc(scores, labels)).toBe(aucByPairs(rows))
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  test('has no value when a score is NaN or a class is missing', () => {
    expect(auc([0.1, Number.NaN, 0.3], [1, 0, 0])).toBeUndefined()
    expect(auc([0.1, 0.2, Number.NaN], [1, 0, 1])).toBeUndefined()
    expect(auc([0.1, 0.2], [1, 1])).toBeUndefined()
    expect(auc([], [])).toBeUndefined()
  })
})

describe('groupedAuc', () => {
  test('equals the pooled AUC when there is one group, and ignores groups of one class', () => {
    fc.assert(
      fc.property(scored, (rows) => {
        const scores = rows.map((row) => row.score)
        const labels = rows.map((row) => row.label)
        const groups = rows.map(() => 7)
        const pooled = auc(scores, labels)
        const alone = groupedAuc(scores, labels, groups)
        expect(alone.meanAuc).toBe(pooled)
        expect(alone.gauc ?? -1).toBeCloseTo(pooled ?? -1, 12)
        const lonely = groupedAuc([...scores, 1, 2], [...labels, 1, 1], [...groups, 8, 8])
        expect(lonely).toEqual(alone)
      }),
      { seed: 2 },
    )
  })
})

describe('aucInterval', () => {
  const random = randomFrom(5)
  const labels = Array.from({ length: 400 }, () => random.integer(2))
  const scores = labels.map((label) => label * 0.5 + random.uniform())

  test('holds the AUC, is narrow for many rows, and the same seed gives the same interval', () => {
    const interval = aucInterval(scores, labels, { seed: 3 })
    const value = auc(scores, labels) ?? Number.NaN
    expect(interval?.low).toBeLessThan(value)
    expect(interval?.high).toBeGreaterThan(value)
    expect((interval?.high ?? 1) - (interval?.low ?? 0)).toBeLessThan(0.1)
    expect(aucInterval(scores, labels, { seed: 3 })).toEqual(interval)
    expect(aucInterval(scores, labels, { seed: 4 })).not.toEqual(interval)
  })

  test('covers the true AUC about as often as its level says', () => {
    // Scores N(1, 1) against N(0, 1): the true AUC is the normal distribution at 1 / sqrt(2).
    const truth = 0.7602499389
    let covered = 0
    for (let run = 0; run < 200; run++) {
      const draw = randomFrom(1000 + run)
      const y = Array.from({ length: 200 }, (_, i) => i % 2)
      const x = y.map((label) => label + draw.normal())
      const interval = aucInterval(x, y, { seed: run, resamples: 100, level: 0.9 })
      if (interval !== undefined && interval.low <= truth && truth <= interval.high) covered += 1
    }
    expect(covered).toBeGreaterThan(165)
    expect(covered).toBeLessThan(195)
  })

  test('has no value when a score is NaN or a class is missing', () => {
    expect(aucInterval([0.1, Number.NaN], [1, 0], { seed: 1 })).toBeUndefined()
    expect(aucInterval([0.1, 0.2], [1, 1], { seed: 1 })).toBeUndefined()
  })
})
