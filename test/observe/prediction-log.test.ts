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

  test('comes back from the pieces of checkpoints, as many as there are turns, and goes on as if never stopped', () => {
    fc.assert(
      fc.property(
        scoredRows(2, 100),
        places,
        scoredRows(2, 30),
        fc.integer({ min: 1, max: 4 }),
        (rows, at, more, of) => {
          const log = emptyLog()
          const pieces: Uint8Array[] = []
          let saved = 0
          for (const part of cut(rows, at)) {
            log.append(batchOf(part, 2))
            pieces.push(log.piece(saved, { number: pieces.length, of }).slice())
            saved = log.rows
          }
          const back = emptyLog()
          back.restorePieces(pieces.slice(-of))
          expect(back.snapshot()).toEqual(log.snapshot())
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

  test('a missing piece is CORRUPT, not a shorter log', () => {
    const log = emptyLog()
    const row = { probabilities: [0.5, 0.5], labels: [1, 0], known: [1, 1] }
    const pieceAfter = (rows: number, number: number): Uint8Array => {
      const saved = log.rows
      log.append(batchOf(new Array(rows).fill(row), 2))
      return log.piece(saved, { number, of: 20 }).slice()
    }
    const [first, second, third] = [pieceAfter(2, 1), pieceAfter(1, 2), pieceAfter(1, 3)]
    const back = emptyLog()
    back.restorePieces([first, first, second, third])
    expect(back.snapshot()).toEqual(log.snapshot())
    for (const pieces of [
      [first, third],
      [second, third],
    ]) {
      expect(() => emptyLog().restorePieces(pieces)).toThrow(
        expect.objectContaining({ code: 'CORRUPT' }),
      )
    }
    expect(() => new PredictionLog({ tasks: ['click'] }).restore(log.snapshot())).toThrow(
      expect.objectContaining({ code: 'CORRUPT' }),
    )
  })
})
