import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Progressive } from '../../src/observe/progressive.ts'
import { measureQuality } from '../../src/observe/quality.ts'
import { batchOf, cut, scoredRows } from './scored-rows.ts'

const TASKS = ['click', 'like']
const WINDOW = 10
const places = fc.array(fc.nat(), { maxLength: 6 })

function fresh(): Progressive {
  return new Progressive({ tasks: TASKS, window: WINDOW })
}

describe('Progressive', () => {
  test('gives the figures of the last labelled samples of each task, and of all of them', () => {
    fc.assert(
      fc.property(scoredRows(2, 40), places, (rows, at) => {
        const progressive = fresh()
        for (const piece of cut(rows, at)) progressive.observe(batchOf(piece, 2))
        progressive.quality().forEach(({ window, total }, task) => {
          const known = rows.filter((row) => row.known[task] === 1)
          const figures = (kept: typeof known) =>
            measureQuality(
              Float32Array.from(kept, (row) => row.probabilities[task] ?? 0),
              Float32Array.from(kept, (row) => row.labels[task] ?? 0),
            )
          const { auc: _, ...sums } = figures(known)
          expect(total).toEqual(sums)
          // The ring is summed from another starting point: the last digits may differ.
          const expected = figures(known.slice(-WINDOW))
          expect(window.samples).toBe(expected.samples)
          expect(window.auc).toBe(expected.auc)
          expect(window.labelRate).toBe(expected.labelRate)
          expect(window.calibrationRatio).toBe(expected.calibrationRatio)
          expect(window.logloss ?? -1).toBeCloseTo(expected.logloss ?? -1, 12)
        })
      }),
      { seed: 21, numRuns: 300 },
    )
  })

  test('stopped anywhere and restored, it is the one that never stopped', () => {
    fc.assert(
      fc.property(scoredRows(2, 40), scoredRows(2, 40), places, (before, after, at) => {
        const whole = fresh()
        whole.observe(batchOf([...before, ...after], 2))
        const stopped = fresh()
        for (const piece of cut(before, at)) stopped.observe(batchOf(piece, 2))
        const restored = fresh()
        restored.restore(stopped.snapshot())
        for (const piece of cut(after, at)) restored.observe(batchOf(piece, 2))
        expect(restored.snapshot()).toEqual(whole.snapshot())
        expect(restored.quality()).toEqual(whole.quality())
      }),
      { seed: 22 },
    )
  })

  test('a snapshot of other tasks or another window is CORRUPT', () => {
    const bytes = fresh().snapshot()
    const other = new Progressive({ tasks: TASKS, window: 11 })
    expect(() => other.restore(bytes)).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
  })
})
