/** @file The table against a Map, with keys that spread and keys that all collide. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { layOutColumns } from '../../src/embeddings/columns.ts'
import { sparseOptimizer, sparseOptimizerOptions } from '../../src/embeddings/sparse-optimizers.ts'
import { EmbeddingTable } from '../../src/embeddings/table.ts'
import { mix32, randomFrom } from '../../src/random.ts'
import { keyList, smallTable, threeGroups, vectorsOf } from './tables.ts'

type Key = readonly [number, number]

/** Keys that share shard, bucket and tag (same hi, same top of lo), keys that share some of them, and spread ones. */
const key: fc.Arbitrary<Key> = fc.oneof(
  fc.tuple(fc.constantFrom(0, 7, 0xffffffff), fc.nat(40)),
  fc.tuple(
    fc.nat(300).map((n) => (0xfffffff0 + n) >>> 0),
    fc.constantFrom(0, 0xffffffff, 5),
  ),
  fc.nat(500).map((n): Key => [mix32(n), mix32(n + 1)]),
)

test('rows, values and new keys agree with a Map on any sequence of lookups, inserts and updates', () => {
  const step = fc.record({
    act: fc.constantFrom('find', 'insert', 'update'),
    keys: fc.array(key, { maxLength: 60 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const table = smallTable()
      const shared = table.columns.groups[0]!
      const oracle = new Map<string, { row: number; values: number[] }>()
      const untouched = smallTable()
      for (const { act, keys } of steps) {
        const list = keyList(keys)
        const rows = new Int32Array(list.count)
        if (act === 'find') {
          const unseen = table.find(list, rows)
          const expected = keys.map((k) => oracle.get(String(k))?.row ?? -1)
          expect([...rows]).toEqual(expected)
          expect(unseen).toBe(expected.filter((row) => row < 0).length)
        } else {
          const fresh = table.insert(list, rows)
          const before = oracle.size
          for (const k of keys) {
            const values = vectorsOf(untouched, shared, keyList([k]))
            if (!oracle.has(String(k))) oracle.set(String(k), { row: oracle.size, values })
          }
          expect(fresh).toBe(oracle.size - before)
          expect([...rows]).toEqual(keys.map((k) => oracle.get(String(k))?.row))
        }
        if (act === 'update') {
          const distinct = Int32Array.from(new Set(rows))
          table.update(shared, distinct, new Float32Array(distinct.length * 3).fill(1))
          // The first Adagrad step is -lr whatever the gradient, the k-th -lr / sqrt(k).
          for (const k of new Map(keys.map((pair) => [String(pair), pair])).values()) {
            const entry = oracle.get(String(k))!
            const touches = (entry.values[3] ?? 0) + 1
            const change = 0.05 / Math.sqrt(touches)
            entry.values = [
              ...entry.values.slice(0, 3).map((v) => Math.fround(v - change)),
              touches,
            ]
          }
        }
      }
      const all = [...oracle.keys()].map((name): Key => {
        const [hi, lo] = name.split(',').map(Number)
        return [hi!, lo!]
      })
      const rows = new Int32Array(all.length)
      expect(table.find(keyList(all), rows)).toBe(0)
      const out = vectorsOf(table, shared, keyList(all))
      const expected = [...oracle.values()].flatMap(({ values }) => values.slice(0, 3))
      expected.forEach((value, i) => {
        expect(out[i]).toBeCloseTo(value, 6)
      })
      expect(table.rows).toBe(oracle.size)
    }),
    { seed: 20260301, numRuns: 200 },
  )
})

test('a thousand keys in one bucket with one tag are a thousand rows', () => {
  const table = smallTable()
  const keys = keyList(Array.from({ length: 1000 }, (_, i) => [42, i] as const))
  const rows = new Int32Array(1000)
  expect(table.insert(keys, rows)).toBe(1000)
  expect([...rows]).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  const found = new Int32Array(1000)
  expect(table.find(keys, found)).toBe(0)
  expect(found).toEqual(rows)
  expect(table.find(keyList([[42, 1000]]), found)).toBe(1)
})

test('growth over many pages and shards loses no key and keeps row numbers', () => {
  const count = 60_000
  const table = smallTable([threeGroups[0]!])
  const random = randomFrom(5)
  const word = (): number => Math.floor(random.uniform() * 2 ** 32)
  const keys = keyList(Array.from({ length: count }, () => [word(), word()] as const))
  const rows = new Int32Array(count)
  for (let start = 0; start < count; start += 1000) {
    const part = {
      hi: keys.hi.subarray(start, start + 1000),
      lo: keys.lo.subarray(start, start + 1000),
      count: 1000,
    }
    expect(table.insert(part, rows.subarray(start))).toBe(1000)
  }
  const found = new Int32Array(count)
  expect(table.find(keys, found)).toBe(0)
  expect(found.findIndex((row, i) => row !== i)).toBe(-1)
})

test('an unseen id has the same vector before and after it gets its row, in every column group', () => {
  const table = smallTable()
  const keys = keyList([
    [1, 2],
    [3, 4],
  ])
  const rows = new Int32Array(2)
  const vectors = (): number[][] =>
    table.columns.groups.map((group) => vectorsOf(table, group, keys))
  table.find(keys, rows)
  expect([...rows]).toEqual([-1, -1])
  const before = vectors()
  table.insert(keys, rows)
  expect([...rows]).toEqual([0, 1])
  expect(vectors()).toEqual(before)
  table.update(table.columns.groups[0]!, rows, new Float32Array(6))
  expect(vectors()).toEqual(before)
  expect(before[0]!.every((v) => v !== 0)).toBe(true)
  expect(before[2]).toEqual([0, 0])
})

test('the optimizer of a group sets up the state of a new row, from the row’s initial values', () => {
  const adagrad = sparseOptimizer(
    sparseOptimizerOptions.parse({ kind: 'adagrad', initial_accumulator: 0.25 }),
  )
  const ftrl = sparseOptimizer(sparseOptimizerOptions.parse({ kind: 'ftrl', alpha: 0.5, beta: 2 }))
  const table = smallTable([
    { name: 'a', width: 1, deviation: 0, optimizer: adagrad },
    { name: 'f', width: 1, deviation: 0.1, optimizer: ftrl },
  ])
  table.insertOne(1, 2)
  const [a, f, accumulator, z, n] = new Float32Array(table.record(0).slice().buffer, 8)
  expect([a, accumulator, n]).toEqual([0, 0.25, 0])
  expect(f).not.toBe(0)
  expect(z).toBeCloseTo(-4 * f!, 6) // -w (beta + sqrt(n)) / alpha
})

test('initial vectors depend on seed, group name, key and column, not on the order of groups or inserts', () => {
  const vector = (table: EmbeddingTable, name: string, hi: number, lo: number): string => {
    const group = table.columns.groups.find((candidate) => candidate.name === name)!
    return String(vectorsOf(table, group, keyList([[hi, lo]])))
  }
  const table = smallTable()
  const reordered = smallTable([...threeGroups].reverse())
  expect(vector(reordered, 'shared', 1, 2)).toBe(vector(table, 'shared', 1, 2))
  const others = [
    vector(smallTable(threeGroups, 2), 'shared', 1, 2),
    vector(table, 'shared', 2, 1),
    vector(table, 'shared', 1, 3),
    vector(smallTable([{ ...threeGroups[0]!, name: 'other' }]), 'other', 1, 2),
    vector(table, 'shared', 1, 2),
  ]
  expect(new Set(others).size).toBe(5)
})

test('initial values are uniform with mean 0 and the stated deviation, and columns are uncorrelated', () => {
  const table = smallTable([{ name: 'shared', width: 4, deviation: 0.5 }])
  const rows = 20_000
  const keys = keyList(Array.from({ length: rows }, (_, i) => [i, 0] as const)) // poor keys on purpose
  const out = vectorsOf(table, table.columns.groups[0]!, keys)
  const mean = (f: (row: number) => number): number => {
    let sum = 0
    for (let row = 0; row < rows; row++) sum += f(row)
    return sum / rows
  }
  for (let a = 0; a < 4; a++) {
    expect(Math.abs(mean((r) => out[4 * r + a]!))).toBeLessThan(0.018) // 5 standard errors
    for (let b = 0; b <= a; b++) {
      const expected = a === b ? 0.25 : 0
      const product = mean((r) => out[4 * r + a]! * out[4 * r + b]!)
      expect(Math.abs(product - expected)).toBeLessThan(0.01)
    }
  }
  const halfRange = 0.5 * Math.sqrt(3)
  expect(out.every((v) => Math.abs(v) <= halfRange + 1e-6)).toBe(true)
})

test('a group whose gradient is all zero keeps values, moments and marks', () => {
  const table = smallTable()
  const keys = keyList([
    [1, 1],
    [2, 2],
  ])
  const rows = new Int32Array(2)
  table.insert(keys, rows)
  const adam = table.columns.groups[1]!
  table.update(adam, rows, Float32Array.of(1, 1, 1, 1))
  table.takeDirty('publication')
  const before = table.record(0).slice()
  table.update(adam, rows, Float32Array.of(0, 0, 0, 1))
  expect(table.record(0)).toEqual(before)
  expect([...table.listDirty('publication')]).toEqual([1])
})

test('the two cursors move on their own and give rows in ascending order, each once', () => {
  const table = smallTable()
  const pairs = Array.from({ length: 100 }, (_, i) => [mix32(i), i] as const)
  const rows = new Int32Array(100)
  table.insert(keyList(pairs), rows)
  expect(table.takeDirty('publication')).toEqual(Uint32Array.from({ length: 100 }, (_, i) => i))
  const shared = table.columns.groups[0]!
  const ones = new Float32Array(9).fill(1)
  table.update(shared, Int32Array.of(70, 3, 33), ones)
  table.update(shared, Int32Array.of(3, 99, 32), ones)
  expect(table.dirtyCount('publication')).toBe(5)
  expect([...table.takeDirty('publication')]).toEqual([3, 32, 33, 70, 99])
  expect([...table.takeDirty('publication')]).toEqual([])
  expect(table.takeDirty('checkpoint')).toHaveLength(100)
  table.setDirty('checkpoint', Uint32Array.of(31, 0, 64))
  expect([...table.listDirty('checkpoint')]).toEqual([0, 31, 64])
})

test('bytes per row: overhead over the payload is at most 35 % at 16 columns with Adagrad', () => {
  const table = smallTable([{ ...threeGroups[0]!, width: 16 }])
  for (let i = 0; i < 8192 * 6; i++) table.insertOne(mix32(i), mix32(~i))
  const { rows, payloadBytes, totalBytes } = table.bytes
  expect(payloadBytes).toBe(rows * 128)
  expect(totalBytes / payloadBytes).toBeGreaterThan(1)
  expect(totalBytes / payloadBytes).toBeLessThan(1.35)
})

test('column requests that make no table are refused', () => {
  expect(() => layOutColumns([], 1)).toThrow(/needs a column group/)
  expect(() => layOutColumns([{ name: 'a', width: 0, deviation: 0 }], 1)).toThrow(/width 0/)
  const twice = { name: 'a', width: 1, deviation: 0 }
  expect(() => layOutColumns([twice, twice], 1)).toThrow(/named twice/)
  const table = new EmbeddingTable(layOutColumns([twice], 1))
  expect(() =>
    table.update(table.columns.groups[0]!, new Int32Array(1), new Float32Array(1)),
  ).toThrow(/no optimizer/)
})
