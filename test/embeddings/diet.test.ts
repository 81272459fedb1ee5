/** @file Tables on a diet: who gets a row, who loses it, and that removal loses nothing else, in any order, saved or published. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { layOutColumns } from '../../src/embeddings/columns.ts'
import { CountMin } from '../../src/embeddings/count-min.ts'
import { dietOptions } from '../../src/embeddings/diet-options.ts'
import { dietTable } from '../../src/embeddings/diet-table.ts'
import { RowLife } from '../../src/embeddings/row-life.ts'
import { EmbeddingTable } from '../../src/embeddings/table.ts'
import { allRows, exportRows, importRows, removeKeys } from '../../src/embeddings/table-rows.ts'
import { restoreTable, snapshotTable, TablePieces } from '../../src/embeddings/table-snapshot.ts'
import { tidy } from '../../src/embeddings/tidy.ts'
import { mix32, randomFrom } from '../../src/random.ts'
import { followerTable, keyList, threeGroups, vectorsOf } from './tables.ts'

const HOUR = 3_600_000

/** A table by the given rules; `capacity` rows fit. */
function tableOf(options: object, capacity = Number.POSITIVE_INFINITY): EmbeddingTable {
  const columns = layOutColumns(threeGroups, 1, { life: true })
  return new EmbeddingTable(columns, new RowLife(dietOptions.parse(options), 1, capacity))
}

const keysOf = (ids: readonly number[]) => keyList(ids.map((id) => [mix32(id), id] as const))

/** One mini-batch: keys are learned from at an hour, then rows are given up. */
function learn(table: EmbeddingTable, ids: readonly number[], hour: number): void {
  table.life?.advance(hour * HOUR)
  const keys = keysOf([...new Set(ids)])
  const rows = new Int32Array(keys.count)
  table.find(keys, rows)
  for (const row of rows) if (row >= 0) table.touch(row)
  table.insertUnseen(keys, rows)
  for (const group of table.columns.groups) {
    table.update(group, rows, new Float32Array(keys.count * group.width).fill(0.5))
  }
  tidy(table)
}

function held(table: EmbeddingTable, most = 200): number[] {
  return Array.from({ length: most }, (_, id) => id).filter(
    (id) => table.findOne(mix32(id), id) >= 0,
  )
}

describe('admission', () => {
  test('by count: a key gets its row in the batch in which it is seen for the n-th time, and none before', () => {
    const table = tableOf({ admit_after: 3 })
    learn(table, [1, 2], 0)
    learn(table, [1, 3], 1)
    expect(held(table)).toEqual([])
    learn(table, [1, 2], 2)
    expect(held(table)).toEqual([1])
    expect(table.life?.refused).toEqual({ count: 5, share: 0, full: 0 })
  })

  test('by chance: about the stated share of the sightings, the same ones every time', () => {
    const ids = Array.from({ length: 4_000 }, (_, id) => id)
    const [one, two] = [tableOf({ admit_share: 0.25 }), tableOf({ admit_share: 0.25 })]
    learn(one, ids, 0)
    learn(two, ids, 0)
    expect(held(one, 4_000)).toEqual(held(two, 4_000))
    expect(one.used).toBeGreaterThan(900)
    expect(one.used).toBeLessThan(1_100)
  })
})

describe('giving up', () => {
  test('rows that were not learned from for longer than the age go, others stay', () => {
    const table = tableOf({ expire_hours: 8 })
    learn(table, [1, 2, 3], 0)
    learn(table, [2], 5)
    learn(table, [4], 9)
    expect(held(table)).toEqual([2, 4])
    expect(table.life?.evicted).toEqual({ age: 2, score: 0, erased: 0 })
  })

  test('near the bound the rows that were learned from least and longest ago make room; the bound holds', () => {
    const table = tableOf({ score_half_life_hours: 10 }, 100)
    const often = Array.from({ length: 20 }, (_, id) => id)
    for (let hour = 0; hour < 5; hour++) learn(table, often, hour)
    for (let from = 20; from < 200; from += 20) {
      learn(
        table,
        Array.from({ length: 20 }, (_, i) => from + i),
        5 + from / 100,
      )
      expect(table.used).toBeLessThanOrEqual(100)
    }
    expect(held(table).slice(0, 20)).toEqual(often)
    expect(table.life?.evicted.score).toBeGreaterThan(0)
  })

  test('a row that is used again starts with the initial vector and fresh optimizer state of its new key', () => {
    const table = tableOf({ expire_hours: 1 })
    learn(table, [7], 0)
    learn(table, [8], 5)
    expect(held(table)).toEqual([8])
    learn(table, [9], 5)
    const fresh = tableOf({ expire_hours: 1 })
    learn(fresh, [9], 5)
    expect(table.rows).toBe(2)
    const [used, alone] = [table, fresh].map((one) => one.record(one.findOne(mix32(9), 9)))
    expect([...used!]).toEqual([...alone!])
  })
})

const steps = fc.array(
  fc.record({
    ids: fc.array(fc.nat(60), { minLength: 1, maxLength: 15 }),
    hour: fc.nat(40),
    erase: fc.option(fc.nat(60)),
    after: fc.constantFrom('nothing', 'checkpoint', 'publish'),
  }),
  { maxLength: 30 },
)

test('pieces of checkpoints give the same bytes and the same future, a follower the same vectors', () => {
  fc.assert(
    fc.property(steps, (history) => {
      const options = { admit_after: 2, expire_hours: 6, score_half_life_hours: 4 }
      const table = tableOf(options, 30)
      const pieces: Uint8Array[] = []
      const follower = followerTable()
      const publish = (): void => {
        const { removed } = table
        removeKeys(follower, Uint32Array.from(removed))
        expect(follower.removed, 'a follower has nobody to tell').toEqual([])
        importRows(follower, exportRows(table, table.takeDirty('publication')))
      }
      for (const { ids, hour, erase, after } of history) {
        learn(table, ids, hour)
        if (erase !== null) table.remove(mix32(erase), erase, 'erased')
        if (after === 'publish') publish()
        if (after === 'checkpoint') {
          pieces.push(new TablePieces(table).take({ number: pieces.length, of: 3 }))
          const saved = tableOf(options, 30)
          restoreTable(saved, ...pieces.slice(-3))
          expect(Buffer.compare(snapshotTable(saved), snapshotTable(table))).toBe(0)
        }
      }
      const restored = tableOf(options, 30)
      restoreTable(restored, snapshotTable(table))
      for (const continued of [table, restored]) learn(continued, [3, 61, 5, 62], 41)
      expect(Buffer.compare(snapshotTable(restored), snapshotTable(table))).toBe(0)
      publish()
      const keys = keysOf(Array.from({ length: 70 }, (_, id) => id))
      for (const group of table.columns.groups) {
        const own = follower.columns.groups.find(({ name }) => name === group.name)!
        expect(vectorsOf(follower, own, keys)).toEqual(vectorsOf(table, group, keys))
      }
      expect(follower.used).toBe(table.used)
      expect(allRows(table)).toHaveLength(table.used)
    }),
    { seed: 20260501, numRuns: 25 },
  )
})

test('keys are found after any insertions and removals, also where they crowd in one shard', () => {
  const random = randomFrom(5)
  const table = tableOf({})
  const oracle = new Set<number>()
  for (let i = 0; i < 20_000; i++) {
    const id = random.integer(700)
    // One shard, few home places: long runs of entries.
    const [hi, lo] = [(7 << 24) | ((id % 5) * 3_000_000), id]
    if (random.uniform() < 0.5) {
      table.insertOne(hi >>> 0, lo)
      oracle.add(id)
    } else {
      expect(table.remove(hi >>> 0, lo, 'erased')).toBe(oracle.delete(id))
    }
  }
  expect(table.used).toBe(oracle.size)
  for (let id = 0; id < 700; id++) {
    const hi = ((7 << 24) | ((id % 5) * 3_000_000)) >>> 0
    expect(table.findOne(hi, id) >= 0, `${id}`).toBe(oracle.has(id))
  }
})

test('a sketch never counts too low, and is back after a snapshot', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 500 }), (ids) => {
      const sketch = new CountMin(64)
      const counts = new Map<number, number>()
      for (const id of ids) {
        sketch.add(mix32(id), id)
        counts.set(id, (counts.get(id) ?? 0) + 1)
      }
      for (const [id, count] of counts) {
        expect(sketch.count(mix32(id), id)).toBeGreaterThanOrEqual(count)
      }
      const restored = new CountMin(64)
      restored.restore(sketch.snapshot())
      expect(restored.snapshot()).toEqual(sketch.snapshot())
    }),
    { seed: 20260502, numRuns: 50 },
  )
})

test('the bound in MB is one on all memory of the table; one that holds no page is refused', () => {
  const rules = { most_mb: 3 }
  const table = dietTable(threeGroups, 1, dietOptions.parse(rules))
  const random = randomFrom(9)
  for (let batch = 0; batch < 60; batch++) {
    const ids = Array.from({ length: 1_000 }, () => random.integer(1_000_000))
    learn(table, ids, batch)
    expect(table.bytes.totalBytes).toBeLessThanOrEqual(3 * 2 ** 20)
  }
  expect(table.life?.evicted.score).toBeGreaterThan(1_000)
  expect(() => dietTable(threeGroups, 1, dietOptions.parse({ most_mb: 0.1 }))).toThrow(
    /no page of 8192 rows fits/,
  )
})
