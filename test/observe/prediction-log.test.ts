import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PredictionLog } from '../../src/observe/prediction-log.ts'
import { measureQuality } from '../../src/observe/quality.ts'
import { batchOf, cut, scoredRows } from './scored-rows.ts'

const TASKS = ['click', 'like']
const places = fc.array(fc.nat(), { maxLength: 6 })

function emptyLog(): PredictionLog {
  return new PredictionLog({ tasks: TASKS, capacity: 24, chunkRows: 8 })
}

describe('PredictionLog', () => {
  test('reports the same figures as the kept rows measured directly', () => {
    fc.assert(
      fc.property(scoredRows(2, 20), fc.double({ min: 0, max: 1, noNaN: true }), (rows, share) => {
        const log = emptyLog()
        log.append(batchOf(rows, 2))
        const later = rows.slice(Math.floor(rows.length * share))
        TASKS.forEach((task, index) => {
          const known = later.filter((row) => row.known[index] === 1)
          const expected = measureQuality(
            Float32Array.from(known, (row) => row.probabilities[index] ?? 0),
            Float32Array.from(known, (row) => row.labels[index] ?? 0),
          )
          expect(log.report(share)[index]).toEqual({ task, ...expected })
        })
      }),
      { seed: 11, numRuns: 300 },
    )
  })

  test('holds the same bytes however the rows were cut into batches', () => {
    fc.assert(
      fc.property(scoredRows(2, 100), places, (rows, at) => {
        const whole = emptyLog()
        whole.append(batchOf(rows, 2))
        const pieces = emptyLog()
        for (const piece of cut(rows, at)) pieces.append(batchOf(piece, 2))
        expect(pieces.snapshot()).toEqual(whole.snapshot())
      }),
      { seed: 12 },
    )
  })

  test('comes back from the parts that checkpoints appended, and goes on as if never stopped', () => {
    fc.assert(
      fc.property(
        scoredRows(2, 100),
        places,
        scoredRows(2, 30),
        fc.nat(6),
        (rows, at, more, left) => {
          const log = emptyLog()
          const parts: Uint8Array[] = []
          const ends: number[] = []
          let saved = 0
          for (const piece of cut(rows, at)) {
            log.append(batchOf(piece, 2))
            parts.push(log.since(saved).slice())
            saved = log.rows
            ends.push(saved)
          }
          const needed = parts.filter((_, i) => i >= left || (ends[i] ?? 0) > log.firstKept)
          const back = emptyLog()
          back.restoreParts(needed)
          back.append(batchOf(more, 2))
          log.append(batchOf(more, 2))
          expect(back.snapshot()).toEqual(log.snapshot())
          expect(back.report(0.2)).toEqual(log.report(0.2))
        },
      ),
      { seed: 13, numRuns: 500 },
    )
  })

  test('drops the oldest chunks beyond its capacity and keeps their count', () => {
    const log = emptyLog()
    const row = { probabilities: [0.5, 0.5], labels: [1, 0], known: [1, 1] }
    log.append(
      batchOf(
        Array.from({ length: 100 }, () => row),
        2,
      ),
    )
    expect(log.rows).toBe(100)
    expect(log.firstKept).toBe(80) // chunks of 8, three of them kept
    expect(log.report(0).map(({ samples }) => samples)).toEqual([20, 20])
    expect(log.report(0.9).map(({ samples }) => samples)).toEqual([10, 10])
  })

  test('a missing part is CORRUPT, not a shorter log', () => {
    const log = emptyLog()
    const row = { probabilities: [0.5, 0.5], labels: [1, 0], known: [1, 1] }
    log.append(batchOf([row, row], 2))
    const first = log.since(0).slice()
    log.append(batchOf([row], 2))
    const second = log.since(2).slice()
    log.append(batchOf([row], 2))
    const third = log.since(3).slice()
    for (const parts of [
      [first, third],
      [second, third],
      [first, first, second, third],
    ]) {
      expect(() => emptyLog().restoreParts(parts)).toThrow(
        expect.objectContaining({ code: 'CORRUPT' }),
      )
    }
    expect(() => new PredictionLog({ tasks: ['click'] }).restore(first)).toThrow(
      expect.objectContaining({ code: 'CORRUPT' }),
    )
  })
})
