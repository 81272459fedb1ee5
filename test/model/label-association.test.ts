import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LabelAssociation } from '../../src/model/label-association.ts'

interface Batch {
  readonly rows: number
  readonly labels: readonly number[]
  readonly mask: readonly number[]
}

const TASKS = 3

const batch: fc.Arbitrary<Batch> = fc.integer({ min: 1, max: 12 }).chain((rows) => {
  const bits = fc.array(fc.constantFrom(0, 1), { minLength: TASKS * rows, maxLength: TASKS * rows })
  return fc.record({ rows: fc.constant(rows), labels: bits, mask: bits })
})

/** |Pearson| of two lists with weights, by the textbook; undefined where a list is constant or empty. */
function slowPearson(pairs: readonly (readonly [number, number, number])[]): number | undefined {
  const n = pairs.reduce((sum, [, , w]) => sum + w, 0)
  const mean = (of: (a: number, b: number) => number): number =>
    pairs.reduce((sum, [a, b, w]) => sum + w * of(a, b), 0) / n
  const a = mean((x) => x)
  const b = mean((_, y) => y)
  const varianceA = mean((x) => (x - a) ** 2)
  const varianceB = mean((_, y) => (y - b) ** 2)
  if (!(varianceA > 1e-9 && varianceB > 1e-9)) return undefined
  return Math.abs(mean((x, y) => (x - a) * (y - b))) / Math.sqrt(varianceA * varianceB)
}

describe('label association', () => {
  test('is the weighted Pearson correlation over rows where both labels are known', () => {
    fc.assert(
      fc.property(fc.array(batch, { minLength: 1, maxLength: 5 }), (batches) => {
        const decay = 0.5
        const labels = new LabelAssociation(TASKS, decay, 0)
        for (const { labels: y, mask, rows } of batches) labels.observe(y, mask, rows)
        for (const [i, j] of [
          [0, 1],
          [0, 2],
          [1, 2],
        ] as const) {
          const pairs = batches.flatMap(({ rows, labels: y, mask }, at) =>
            Array.from({ length: rows }, (_, row) => {
              const known = mask[i * rows + row]! * mask[j * rows + row]!
              const weight = known * decay ** (batches.length - 1 - at)
              return [y[i * rows + row]!, y[j * rows + row]!, weight] as const
            }),
          )
          expect(labels.of(i, j, 'pearson')).toBeCloseTo(slowPearson(pairs) ?? 0, 9)
          expect(labels.of(j, i, 'pearson')).toBe(labels.of(i, j, 'pearson'))
        }
      }),
    )
  })

  test('is 0 until there is enough support', () => {
    const labels = new LabelAssociation(2, 1, 6)
    labels.observe([1, 0, 1, 1, 0, 1], [1, 1, 1, 1, 1, 1], 3)
    expect(labels.of(0, 1, 'pearson')).toBe(0)
    labels.observe([1, 0, 1, 1, 0, 1], [1, 1, 1, 1, 1, 1], 3)
    expect(labels.of(0, 1, 'pearson')).toBeCloseTo(1, 12)
  })

  test('goes on after a restore as if nothing had happened', () => {
    fc.assert(
      fc.property(batch, batch, (first, second) => {
        const whole = new LabelAssociation(TASKS, 0.9, 0)
        whole.observe(first.labels, first.mask, first.rows)
        const resumed = new LabelAssociation(TASKS, 0.9, 0)
        resumed.restore(whole.snapshot())
        for (const labels of [whole, resumed]) {
          labels.observe(second.labels, second.mask, second.rows)
        }
        expect(resumed.snapshot()).toEqual(whole.snapshot())
      }),
    )
  })

  test('refuses the state of other tasks and a task with itself', () => {
    const two = new LabelAssociation(2, 0.9, 0)
    expect(() => two.restore(new LabelAssociation(3, 0.9, 0).snapshot())).toThrow(/other tasks/)
    expect(() => two.of(1, 1, 'pearson')).toThrow(/itself/)
  })
})
