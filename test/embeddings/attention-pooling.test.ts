import { describe, expect, it } from 'vitest'
import { columnGroup, layOutColumns } from '../../src/embeddings/columns.ts'
import { PooledLookup } from '../../src/embeddings/pooled-lookup.ts'
import { EmbeddingTable } from '../../src/embeddings/table.ts'
import type { EncodedFeatures, SlotKeys } from '../../src/features/encoded-batch.ts'
import { randomFrom } from '../../src/random.ts'

const WIDTH = 3

/** Keys 1 to n are ids; each row of a history lists some. */
function slot(
  pooling: SlotKeys['pooling'],
  rows: readonly (readonly number[])[],
  query?: number,
): SlotKeys {
  const starts = [0]
  for (const keys of rows) starts.push(starts.at(-1)! + keys.length)
  const lo = Uint32Array.from(rows.flat())
  const hi = lo.map((key) => key * 0x1000193)
  const keys = { hi, lo, starts: Uint32Array.from(starts), pooling }
  return query === undefined ? keys : { ...keys, query }
}

/** Shown items, and what was acted on before: nothing, one item, several, the shown one among them. */
const SHOWN = [[1], [2], [3], [3]]
const PAST = [[], [1], [1, 2, 4], [3, 5]]
const features: EncodedFeatures = {
  rows: 4,
  slots: [slot('single', SHOWN), slot('history-attention', PAST, 0), slot('history-mean', PAST)],
  dense: new Float32Array(0),
  denseWidth: 0,
}

function lookup() {
  const columns = layOutColumns(
    [
      { name: 'embedding', width: WIDTH, deviation: 1 },
      { name: 'wide', width: 1, deviation: 1, histories: 'left out' },
    ],
    5,
  )
  const table = new EmbeddingTable(columns)
  const pooled = new PooledLookup(table)
  pooled.bind(features)
  return {
    table,
    pooled,
    deep: columnGroup(columns, 'embedding'),
    wide: columnGroup(columns, 'wide'),
  }
}

/** x by row, slot and column. */
function forward(pooled: PooledLookup, group: Parameters<PooledLookup['forward']>[0]) {
  const x = new Float32Array(features.rows * features.slots.length * group.width)
  pooled.forward(group, x)
  return (row: number, s: number): number[] => {
    const at = (row * features.slots.length + s) * group.width
    return [...x.subarray(at, at + group.width)]
  }
}

describe('the history of a row', () => {
  it('is the mean of its vectors, or weighs them by how they go with the item that is shown', () => {
    const { pooled, deep } = lookup()
    const x = forward(pooled, deep)
    // Key 1 is shown in row 0, 2 in row 1; 4 and 5 are past only.
    const vector = new Map([1, 2, 3].map((key) => [key, x(key - 1, 0)] as const))
    expect(x(0, 1)).toEqual([0, 0, 0])
    expect(x(0, 2)).toEqual([0, 0, 0])
    expect(x(1, 1)).toEqual(vector.get(1))
    expect(x(1, 2)).toEqual(vector.get(1))
    const q = vector.get(3)!
    const others = lookup().table
    const read = (key: number): number[] => {
      const values = new Float32Array(others.columns.width)
      const keys = slot('single', [[key]])
      others.lookUp({ hi: keys.hi, lo: keys.lo, count: 1 }, new Int32Array(1), values)
      return [...values.subarray(0, WIDTH)]
    }
    const past = [1, 2, 4].map(read)
    const scores = past.map((e) =>
      Math.exp(e.reduce((sum, v, c) => sum + v * q[c]!, 0) / Math.sqrt(WIDTH)),
    )
    const total = scores.reduce((a, b) => a + b)
    const expected = [0, 1, 2].map((c) =>
      past.reduce((sum, e, k) => sum + (scores[k]! / total) * e[c]!, 0),
    )
    for (const [c, value] of x(2, 1).entries()) expect(value).toBeCloseTo(expected[c]!, 5)
  })

  it('adds nothing to the linear weights', () => {
    const { pooled, wide } = lookup()
    const x = forward(pooled, wide)
    for (const row of [0, 1, 2, 3]) expect([...x(row, 1), ...x(row, 2)]).toEqual([0, 0])
    expect(x(0, 0)[0]).not.toBe(0)
    const gradient = new Float32Array(pooled.distinct)
    pooled.backward(wide, new Float32Array(12).fill(1), gradient)
    // Ids 1, 2 once, 3 twice as the shown item; 4 and 5 never.
    expect([...gradient].sort((a, b) => a - b)).toEqual([0, 0, 1, 1, 2])
  })

  it('has the gradient of finite differences, by its items and by the item that is shown', () => {
    const { table, pooled, deep } = lookup()
    pooled.insert()
    const random = randomFrom(3)
    const size = features.rows * features.slots.length * WIDTH
    const dx = Float32Array.from({ length: size }, () => random.normal())
    const gradient = new Float32Array(pooled.distinct * WIDTH)
    pooled.backward(deep, dx, gradient)
    const objective = (): number => {
      pooled.bind(features)
      const x = new Float32Array(size)
      pooled.forward(deep, x)
      return x.reduce((sum, value, i) => sum + value * dx[i]!, 0)
    }
    const step = 1e-2
    for (let row = 0; row < table.rows; row++) {
      for (let c = 0; c < WIDTH; c++) {
        const values = table.changeValuesOf(row)
        const before = values[c]!
        values[c] = before + step
        const above = objective()
        values[c] = before - step
        const below = objective()
        values[c] = before
        // Rows were inserted in the order of the distinct ids.
        expect(gradient[row * WIDTH + c]!).toBeCloseTo((above - below) / (2 * step), 2)
      }
    }
  })
})
