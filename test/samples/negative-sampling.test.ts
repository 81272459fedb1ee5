import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RowRole } from '../../src/join/join-outputs.ts'
import { isOpened } from '../../src/join/opened.ts'
import { NegativeSampling } from '../../src/samples/negative-sampling.ts'
import { keepRates, negativesOptions } from '../../src/samples/options.ts'
import type { Sample } from '../../src/samples/sample.ts'
import { plainSample } from './plain-sample.ts'

const ROWS = 20_000

function rows(role: RowRole, ...labels: number[]): Sample[] {
  return Array.from({ length: ROWS }, (_, n) =>
    plainSample({ role, id: `i${n}`, labels: Float32Array.from(labels) }),
  )
}

function sampling(keepRates: readonly number[], openedShare = 0): NegativeSampling {
  return new NegativeSampling({ keepRates, seed: 1, openedShare })
}

/** Share of all rows that teach the task. */
function shareOf(samples: readonly Sample[], task: number): number {
  return samples.filter(({ learned }) => learned[task] === 1).length / ROWS
}

describe('negative sampling', () => {
  it('keeps every row as it is at rate 1', () => {
    const all = rows('final', 0, 0)
    expect(sampling([1, 1]).thin(all)).toBe(all)
  })

  it("keeps each task's negatives at its own rate, and all positives, whatever the other task's label is", () => {
    const rates = [0.1, 0.5]
    for (const labels of [
      [0, 0],
      [1, 0],
      [0, 1],
    ]) {
      const kept = sampling(rates).thin(rows('final', ...labels))
      for (const [task, rate] of rates.entries()) {
        const expected = labels[task] === 1 ? 1 : rate
        // Five standard deviations of a binomial share.
        const slack = 5 * Math.sqrt((expected * (1 - expected)) / ROWS)
        expect(Math.abs(shareOf(kept, task) - expected)).toBeLessThanOrEqual(slack)
      }
      expect(kept.every(({ learned }) => learned.includes(1))).toBe(true)
    }
  })

  it('decides by the id and the seed alone: all rows of an impression agree', () => {
    const draw = sampling([0.3, 0.3])
    const provisional = draw.thin(rows('provisional', 0, 0))
    const kept = new Set(provisional.map(({ id }) => id))
    const learned = Uint8Array.of(1, 0)
    for (const late of draw.thin(
      rows('late-positive', 1, 0).map((row) => ({ ...row, learned, late: learned })),
    )) {
      expect(late.learned).toEqual(learned)
      // There is a negative to take back exactly where one was learned.
      expect(late.late[0] === 1).toBe(kept.has(late.id))
    }
    const other = new NegativeSampling({ keepRates: [0.3, 0.3], seed: 2, openedShare: 0 })
    const others = new Set(other.thin(rows('provisional', 0, 0)).map(({ id }) => id))
    expect([...kept].filter((id) => others.has(id)).length / ROWS).toBeCloseTo(0.09, 1)
  })

  it('does not depend on how the rows are cut into calls', () => {
    const some = rows('final', 0, 1).slice(0, 50)
    fc.assert(
      fc.property(fc.nat(50), (cut) => {
        const draw = sampling([0.4, 0.4])
        const pieces = [...draw.thin(some.slice(0, cut)), ...draw.thin(some.slice(cut))]
        expect(pieces).toEqual(draw.thin(some))
      }),
    )
  })

  it('keeps what judges an opened impression, though it teaches nothing', () => {
    const share = 0.2
    const kept = sampling([0.1, 0.1], share).thin(rows('final', 0, 0))
    const judging = kept.filter(({ role }) => role === 'matured')
    expect(judging.length).toBeGreaterThan(0)
    expect(judging.every(({ id, learned }) => isOpened(id, share) && !learned.includes(1))).toBe(
      true,
    )
    const opened = rows('final', 0, 0).filter(({ id }) => isOpened(id, share))
    const known = new Set(kept.map(({ id }) => id))
    expect(opened.every(({ id }) => known.has(id))).toBe(true)
  })

  it('takes one rate for all tasks or some by name', () => {
    const tasks = ['click', 'like']
    expect(keepRates(negativesOptions.parse({}), tasks)).toEqual([1, 1])
    expect(keepRates(negativesOptions.parse({ keep: 0.1 }), tasks)).toEqual([0.1, 0.1])
    expect(keepRates(negativesOptions.parse({ keep: { like: 0.01 } }), tasks)).toEqual([1, 0.01])
    expect(negativesOptions.safeParse({ keep: 0 }).success).toBe(false)
  })
})
