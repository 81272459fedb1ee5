/** @file Pooled vectors and their gradients against a naive computation per key, and predict-then-learn on the table. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ColumnGroup } from '../../src/embeddings/columns.ts'
import { PooledLookup } from '../../src/embeddings/pooled-lookup.ts'
import type { EmbeddingTable } from '../../src/embeddings/table.ts'
import { snapshotTable } from '../../src/embeddings/table-snapshot.ts'
import type { EncodedFeatures, SlotKeys } from '../../src/features/encoded-batch.ts'
import { mix32, randomFrom } from '../../src/random.ts'
import { keyList, smallTable, threeGroups, vectorsOf } from './tables.ts'

type Bags = { pooling: SlotKeys['pooling']; rows: number[][] }[]

/** Batches of up to 6 rows and 3 slots over few ids, so that ids repeat within bags, slots and rows. */
const bags: fc.Arbitrary<Bags> = fc.integer({ min: 0, max: 6 }).chain((rows) => {
  const slot = fc.oneof(
    fc.record({
      pooling: fc.constant<'single'>('single'),
      rows: fc.array(fc.tuple(fc.nat(12)), { minLength: rows, maxLength: rows }),
    }),
    fc.record({
      pooling: fc.constantFrom<('mean' | 'sum')[]>('mean', 'sum'),
      rows: fc.array(fc.array(fc.nat(12), { maxLength: 4 }), { minLength: rows, maxLength: rows }),
    }),
  )
  return fc.array(slot, { minLength: 1, maxLength: 3 })
})

const keyOf = (id: number): readonly [number, number] => [mix32(id), id & 3]

function encode(slots: Bags): EncodedFeatures {
  return {
    rows: slots[0]!.rows.length,
    denseWidth: 0,
    dense: new Float32Array(0),
    slots: slots.map(({ pooling, rows }) => {
      const ids = rows.flat()
      const starts = [0]
      for (const bag of rows) starts.push(starts.at(-1)! + bag.length)
      const keys = keyList(ids.map(keyOf))
      return { hi: keys.hi, lo: keys.lo, starts: Uint32Array.from(starts), pooling }
    }),
  }
}

const vectorOf = (table: EmbeddingTable, group: ColumnGroup, id: number): number[] =>
  vectorsOf(table, group, keyList([keyOf(id)]))

const shareOf = (pooling: SlotKeys['pooling'], bag: readonly number[]): number =>
  pooling === 'mean' ? 1 / bag.length : 1

test('pooled vectors are the means and sums of the ids’ vectors, an empty bag is zero', () => {
  fc.assert(
    fc.property(bags, fc.boolean(), (slots, learned) => {
      const table = smallTable()
      if (learned) for (let id = 0; id < 6; id++) table.insertOne(...keyOf(id))
      const lookup = new PooledLookup(table)
      const unseen = lookup.bind(encode(slots))
      const ids = new Set(slots.flatMap(({ rows }) => rows.flat()))
      expect(lookup.distinct).toBe(ids.size)
      expect(unseen).toBe([...ids].filter((id) => !learned || id >= 6).length)
      for (const group of table.columns.groups) {
        const x = new Float32Array(slots[0]!.rows.length * slots.length * group.width).fill(9)
        lookup.forward(group, x)
        const expected = slots[0]!.rows.flatMap((_, row) =>
          slots.flatMap(({ pooling, rows }) => {
            const bag = rows[row]!
            const sum = new Array<number>(group.width).fill(0)
            for (const id of bag) {
              vectorOf(table, group, id).forEach((v, c) => {
                sum[c]! += v * shareOf(pooling, bag)
              })
            }
            return sum
          }),
        )
        expect(x.length).toBe(expected.length)
        expected.forEach((value, i) => {
          expect(x[i]).toBeCloseTo(value, 6)
        })
      }
      expect(table.rows).toBe(learned ? 6 : 0)
    }),
    { seed: 20260501, numRuns: 200 },
  )
})

test('backward is the transpose of forward: <dx, forward(v)> = <backward(dx), v> for every id and column', () => {
  fc.assert(
    fc.property(bags, fc.integer(), (slots, seed) => {
      const table = smallTable()
      const lookup = new PooledLookup(table)
      lookup.bind(encode(slots))
      const random = randomFrom(seed >>> 0)
      const group = table.columns.groups[0]!
      const size = slots[0]!.rows.length * slots.length * group.width
      const dx = Float32Array.from({ length: size }, () => random.normal())
      const gradient = new Float32Array(lookup.distinct * group.width + 1).fill(5)
      lookup.backward(group, dx, gradient)
      const order = [...new Set(slots.flatMap(({ rows }) => rows.flat()))]
      const expected = new Map(order.map((id) => [id, new Array<number>(group.width).fill(0)]))
      slots.forEach(({ pooling, rows }, s) => {
        rows.forEach((bag, row) => {
          for (const id of bag) {
            for (let c = 0; c < group.width; c++) {
              const at = (row * slots.length + s) * group.width + c
              expected.get(id)![c]! += shareOf(pooling, bag) * dx[at]!
            }
          }
        })
      })
      const flat = order.flatMap((id) => expected.get(id)!)
      flat.forEach((value, i) => {
        expect(gradient[i]).toBeCloseTo(value, 4)
      })
      expect(gradient.at(-1)).toBe(5)
    }),
    { seed: 20260502, numRuns: 200 },
  )
})

test('learning inserts the batch’s ids in order of first occurrence and moves only them', () => {
  const table = smallTable()
  const lookup = new PooledLookup(table)
  const batch = encode([
    { pooling: 'single', rows: [[7], [3], [7]] },
    { pooling: 'sum', rows: [[3, 9], [], [1]] },
  ])
  expect(lookup.bind(batch)).toBe(4)
  const shared = table.columns.groups[0]!
  const x = new Float32Array(3 * 2 * 3)
  lookup.forward(shared, x)
  expect(lookup.insert()).toBe(4)
  const again = new Float32Array(x.length)
  lookup.forward(shared, again)
  expect(again).toEqual(x)
  const gradient = new Float32Array(lookup.distinct * 3)
  lookup.backward(shared, new Float32Array(x.length).fill(1), gradient)
  expect([...gradient]).toEqual([2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1])
  const before = [7, 3, 9, 1].map((id) => vectorOf(table, shared, id))
  lookup.update(shared, gradient)
  expect([7, 3, 9, 1].map((id) => table.insertOne(...keyOf(id)))).toEqual([0, 1, 2, 3])
  const after = [7, 3, 9, 1].map((id) => vectorOf(table, shared, id))
  after.flat().forEach((v, i) => {
    expect(v).toBeCloseTo(before.flat()[i]! - 0.05, 6)
  })
})

test('scratch of an earlier, larger batch does not show in a later one', () => {
  fc.assert(
    fc.property(fc.array(bags, { minLength: 2, maxLength: 5 }), (batches) => {
      const table = smallTable()
      const reused = new PooledLookup(table)
      const replay = smallTable()
      for (const slots of batches) {
        for (const [lookup, group] of [
          [reused, table.columns.groups[0]!],
          [new PooledLookup(replay), replay.columns.groups[0]!],
        ] as const) {
          lookup.bind(encode(slots))
          lookup.insert()
          const gradient = new Float32Array(lookup.distinct * group.width)
          const size = slots[0]!.rows.length * slots.length * group.width
          lookup.backward(group, new Float32Array(size).fill(0.5), gradient)
          lookup.update(group, gradient)
        }
      }
      expect(Buffer.compare(snapshotTable(table), snapshotTable(replay))).toBe(0)
    }),
    { seed: 20260503, numRuns: 100 },
  )
})

test('a lookup without a batch says so', () => {
  const lookup = new PooledLookup(smallTable(threeGroups))
  expect(() => lookup.insert()).toThrow(/no batch is bound/)
})
