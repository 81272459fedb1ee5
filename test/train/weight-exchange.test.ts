import fc from 'fast-check'
import { expect, test } from 'vitest'
import { layOutColumns } from '../../src/embeddings/columns.ts'
import { sparseOptimizer } from '../../src/embeddings/sparse-optimizers.ts'
import { EmbeddingTable } from '../../src/embeddings/table.ts'
import type { EncodedFeatures } from '../../src/features/encoded-batch.ts'
import { Parameters } from '../../src/model/parameters.ts'
import { WeightExchange } from '../../src/train/weight-exchange.ts'

const SEED = 31
const columns = layOutColumns(
  [
    {
      name: 'embedding',
      width: 3,
      deviation: 0.1,
      memory: 1,
      optimizer: sparseOptimizer({
        kind: 'adagrad',
        learning_rate: 0.1,
        initial_accumulator: 0.5,
        epsilon: 1e-8,
      }),
    },
  ],
  7,
)

class Trainer {
  readonly table = new EmbeddingTable(columns)
  readonly parameters = new Parameters(
    [
      {
        name: 'w',
        shape: [4],
        initial: { kind: 'zeros' },
        owner: 'shared',
        place: 'trunk',
      } as never,
    ],
    1,
  )
  readonly exchange = new WeightExchange(this.table, this.parameters)

  /** One batch: some ids, one gradient for all of them. */
  learn(ids: readonly number[], gradient: number): void {
    this.exchange.touch(features(ids))
    const keys = { hi: Uint32Array.from(ids), lo: Uint32Array.from(ids), count: ids.length }
    const rows = new Int32Array(ids.length)
    this.table.insert(keys, rows)
    const [group] = columns.groups
    if (group === undefined) throw new Error('no group')
    this.table.update(group, rows, new Float32Array(ids.length * 3).fill(gradient))
    this.parameters.values.forEach((_, i, values) => {
      values[i] = values[i]! - gradient * (i + 1)
    })
  }

  /** Every row by its key, values and sums of squares; the dense weights. */
  weights(): unknown {
    const rows = new Map<number, number[]>()
    for (let row = 0; row < this.table.rows; row++) {
      const { buffer, byteOffset, byteLength } = this.table.record(row)
      const [key = 0] = new Uint32Array(buffer, byteOffset, 1)
      rows.set(key, [...new Float32Array(buffer, byteOffset, byteLength / 4)].slice(2, 8))
    }
    return { rows: [...rows].sort(([a], [b]) => a - b), dense: [...this.parameters.values] }
  }
}

function features(ids: readonly number[]): EncodedFeatures {
  const hi = Uint32Array.from(ids)
  const starts = Uint32Array.from({ length: ids.length + 1 }, (_, i) => i)
  const slot = { pooling: 'single' as const, hi, lo: hi.slice(), starts }
  return { rows: ids.length, slots: [slot], dense: new Float32Array(0), denseWidth: 0 }
}

const batch = fc.record({
  ids: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
  gradient: fc.integer({ min: -8, max: 8 }).map((n) => n / 16),
})
const rounds = fc.array(
  fc.tuple(fc.array(batch, { maxLength: 3 }), fc.array(batch, { maxLength: 3 })),
  {
    minLength: 1,
    maxLength: 4,
  },
)

function meet(trainers: readonly Trainer[]): void {
  const deltas = trainers.map(({ exchange }) => exchange.delta().slice())
  for (const { exchange } of trainers) exchange.meet(deltas)
}

test(`trainers that have met have the same weights, bit for bit (seed ${SEED})`, () => {
  fc.assert(
    fc.property(rounds, (drawn) => {
      const [a, b] = [new Trainer(), new Trainer()]
      for (const [first, second] of drawn) {
        for (const { ids, gradient } of first) a.learn(ids, gradient)
        for (const { ids, gradient } of second) b.learn(ids, gradient)
        meet([a, b])
        expect(a.weights()).toEqual(b.weights())
      }
    }),
    { seed: SEED, numRuns: 100 },
  )
})

test(`what one trainer alone has learned is all there after a meeting, up to rounding (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(batch, { minLength: 1, maxLength: 6 }), (batches) => {
      const [a, b, alone] = [new Trainer(), new Trainer(), new Trainer()]
      for (const { ids, gradient } of batches) {
        a.learn(ids, gradient)
        alone.learn(ids, gradient)
      }
      meet([a, b])
      const flat = (trainer: Trainer): number[] =>
        JSON.stringify(trainer.weights())
          .match(/-?\d+(\.\d+)?(e-?\d+)?/g)!
          .map(Number)
      const [met, expected] = [flat(b), flat(alone)]
      expect(met.length).toBe(expected.length)
      for (const [i, value] of met.entries())
        expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5)
    }),
    { seed: SEED, numRuns: 100 },
  )
})

test('a restored exchange meets as the one that was saved', () => {
  const [a, b, restored] = [new Trainer(), new Trainer(), new Trainer()]
  for (const trainer of [a, restored]) trainer.learn([1, 2], 0.25)
  b.learn([2, 3], -0.5)
  restored.exchange.restore(a.exchange.snapshot())
  expect(Buffer.from(restored.exchange.snapshot())).toEqual(Buffer.from(a.exchange.snapshot()))
  const deltas = [restored.exchange.delta().slice(), b.exchange.delta().slice()]
  restored.exchange.meet(deltas)
  a.exchange.meet(deltas)
  expect(restored.weights()).toEqual(a.weights())
})
