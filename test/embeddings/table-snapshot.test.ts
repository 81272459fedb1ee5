/** @file Tables written down and read back: the same future, canonical bytes, deltas, publication. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { EmbeddingTable } from '../../src/embeddings/table.ts'
import { allRows, exportRows, importRows } from '../../src/embeddings/table-rows.ts'
import { restoreTable, snapshotTable, TablePieces } from '../../src/embeddings/table-snapshot.ts'
import { mix32 } from '../../src/random.ts'
import { followerTable, keyList, smallTable, threeGroups, vectorsOf } from './tables.ts'

/** Touches keys: all get a row, those with a nonzero gradient learn in every group. */
function touch(table: EmbeddingTable, ids: readonly number[], gradient: number): void {
  const distinct = [...new Set(ids)]
  const keys = keyList(distinct.map((id) => [mix32(id), id] as const))
  const rows = new Int32Array(keys.count)
  table.insert(keys, rows)
  for (const group of table.columns.groups) {
    table.update(group, rows, new Float32Array(keys.count * group.width).fill(gradient))
  }
}

/** Whether two tables have the same snapshot; compared as bytes, for toEqual walks arrays element by element. */
const sameBytes = (a: EmbeddingTable, b: EmbeddingTable): boolean =>
  Buffer.compare(snapshotTable(a), snapshotTable(b)) === 0

const history = fc.array(
  fc.record({
    ids: fc.array(fc.nat(60), { maxLength: 20 }),
    gradient: fc.constantFrom(-1, 0, 0.5, 2),
    after: fc.constantFrom('nothing', 'checkpoint', 'publish'),
  }),
  { maxLength: 25 },
)

/** Enough rows for several blocks, which take turns in being repeated. */
const MANY = Array.from({ length: 1_000 }, (_, i) => 100 + i)

test('pieces, as many as there are turns, give the table of an uninterrupted run, bytes and future', () => {
  fc.assert(
    fc.property(history, fc.integer({ min: 1, max: 5 }), (steps, of) => {
      const table = smallTable()
      const pieces: Uint8Array[] = []
      for (const { ids, gradient, after } of [{ ids: MANY, gradient: 1, after: '' }, ...steps]) {
        touch(table, ids, gradient)
        if (after === 'publish') table.takeDirty('publication')
        if (after !== 'checkpoint') continue
        pieces.push(new TablePieces(table).take({ number: pieces.length, of }))
        const restored = smallTable()
        restoreTable(restored, ...pieces.slice(-of))
        expect(sameBytes(restored, table)).toBe(true)
      }
      const restored = smallTable()
      restoreTable(restored, snapshotTable(table))
      for (const continued of [table, restored]) touch(continued, [3, 61, 5, 62], 0.25)
      expect(sameBytes(restored, table)).toBe(true)
      expect(restored.listDirty('publication')).toEqual(table.listDirty('publication'))
    }),
    { seed: 20260401, numRuns: 60 },
  )
})

test('a piece holds what was touched since the last one and the rows that have their turn', () => {
  const table = smallTable()
  const recordBytes = table.columns.recordWidth * 4 + 4
  touch(
    table,
    Array.from({ length: 5120 }, (_, i) => i),
    1,
  )
  const first = new TablePieces(table).take({ number: 0, of: 20 }).length
  table.takeDirty('publication')
  const second = new TablePieces(table).take({ number: 1, of: 20 }).length
  touch(table, [1, 2, 3], 1)
  table.takeDirty('publication')
  const third = new TablePieces(table).take({ number: 2, of: 20 }).length
  expect(first).toBeGreaterThan(5120 * recordBytes)
  expect(second).toBeGreaterThan(256 * recordBytes)
  expect(second).toBeLessThan(257 * recordBytes + 200)
  expect(third - second).toBe(3 * recordBytes)
})

test('snapshots that do not fit are refused', () => {
  const table = smallTable()
  const turn = { number: 7, of: 20 }
  touch(table, [1, 2, 3], 1)
  const full = snapshotTable(table)
  expect(() => restoreTable(table, full)).toThrow(/cannot be restored over/)
  expect(() => restoreTable(smallTable([threeGroups[0]!]), full)).toThrow(/columns is/)
  expect(() => restoreTable(smallTable(), full.subarray(0, full.length - 1))).toThrow(/more bytes/)
  expect(() => restoreTable(smallTable())).toThrow(/no pieces/)
  new TablePieces(table).take(turn)
  touch(table, [9], 1)
  const later = new TablePieces(table).take(turn)
  expect(() => restoreTable(smallTable(), later)).toThrow(/row 0 of 4 is in no table snapshot/)
  expect(() => restoreTable(smallTable(), later, full)).toThrow(/row 3 of 3/)
  const other = smallTable()
  touch(other, [3, 2, 1], 1)
  touch(table, [1], 1)
  const foreign = new TablePieces(table).take(turn)
  expect(() => restoreTable(smallTable(), snapshotTable(other), later, foreign)).toThrow(
    /key that is in row/,
  )
})

test('a follower that takes a full publication and deltas holds the trainer’s values, and unseen ids agree', () => {
  fc.assert(
    fc.property(history, fc.nat(24), (steps, joinAt) => {
      const trainer = smallTable()
      const follower = followerTable()
      steps.forEach(({ ids, gradient, after }, i) => {
        touch(trainer, ids, gradient)
        if (i === joinAt) {
          trainer.takeDirty('publication')
          importRows(follower, exportRows(trainer, allRows(trainer)))
        } else if (i > joinAt && after === 'publish') {
          importRows(follower, exportRows(trainer, trainer.takeDirty('publication')))
        }
      })
      if (steps.length <= joinAt) importRows(follower, exportRows(trainer, allRows(trainer)))
      else importRows(follower, exportRows(trainer, trainer.takeDirty('publication')))
      const keys = keyList(Array.from({ length: 70 }, (_, id) => [mix32(id), id] as const))
      const read = (table: EmbeddingTable): number[][] =>
        table.columns.groups.map((group) => vectorsOf(table, group, keys))
      expect(read(follower)).toEqual(read(trainer))
      expect(follower.columns.stateWidth).toBe(0)
    }),
    { seed: 20260402, numRuns: 100 },
  )
})

test('published rows of another width are refused before anything is written', () => {
  const trainer = smallTable([threeGroups[0]!])
  touch(trainer, [1, 2], 1)
  const follower = followerTable()
  expect(() => importRows(follower, exportRows(trainer, allRows(trainer)))).toThrow(/6 columns/)
  expect(follower.rows).toBe(0)
})
