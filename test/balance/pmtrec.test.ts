import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pmtrec, pmtrecOptions, taskWeights } from '../../src/balance/pmtrec.ts'
import type { FloatArray, RowBlock } from '../../src/balance/row-balancer.ts'
import { rowNorms } from '../../src/balance/row-norms.ts'
import { randomFrom } from '../../src/random.ts'

const WIDTH = 4

/** Rows of random gradients; about a third of the (row, task) pairs are untouched. */
const blocks = fc
  .record({
    rows: fc.integer({ min: 1, max: 8 }),
    tasks: fc.integer({ min: 1, max: 5 }),
    seed: fc.nat(),
  })
  .map(({ rows, tasks, seed }) => {
    const random = randomFrom(seed)
    const gradients = new Float64Array(rows * tasks * WIDTH)
    for (let at = 0; at < rows * tasks; at++) {
      const size = random.uniform() < 0.3 ? 0 : 10 ** -random.uniform()
      for (let p = 0; p < WIDTH; p++) gradients[at * WIDTH + p] = size * random.normal()
    }
    return { gradients, rows, tasks, width: WIDTH, step: 0 }
  })

const RUNS = { seed: 21 }

function combine(options: object, block: RowBlock): Float64Array {
  const balancer = pmtrec(pmtrecOptions.parse(options))
  const out = new Float64Array(block.rows * block.width).fill(Number.NaN)
  balancer.combine(block, balancer.init(), out)
  return out
}

function weights(options: object, norms: readonly number[], step: number): number[] {
  const block = {
    gradients: Float64Array.from(norms),
    rows: 1,
    tasks: norms.length,
    width: 1,
    step,
  }
  const parsed = pmtrecOptions.parse({ mode: 'paper', stepsPerEpoch: 1, maxFocus: 0, ...options })
  return [...taskWeights(parsed, block, rowNorms(block), parsed.tau)]
}

function sumOfTasks(block: RowBlock, times: (row: number) => number): number[] {
  const sum = new Array<number>(block.rows * WIDTH).fill(0)
  for (let row = 0; row < block.rows; row++) {
    for (let t = 0; t < block.tasks; t++) {
      for (let p = 0; p < WIDTH; p++) {
        const g = block.gradients[(row * block.tasks + t) * WIDTH + p]!
        sum[row * WIDTH + p]! += times(row) * g
      }
    }
  }
  return sum
}

function expectEqual(got: FloatArray, want: ArrayLike<number>, tolerance: number): void {
  const gap = Array.from(want).reduce(
    (most, value, p) => Math.max(most, Math.abs(value - got[p]!)),
    0,
  )
  expect(gap).toBeLessThan(tolerance)
}

describe('PMTRec', () => {
  it('gives the weights that papers.md works out for norms (.01, .02, .002)', () => {
    const norms = [0.01, 0.02, 0.002]
    const rounded = (tau: number, epoch: number): number[] =>
      weights({ tau, alpha: 1.04 }, norms, epoch - 1).map((w) => Math.round(w * 100) / 100)
    expect(rounded(0.1, 1)).toEqual([0.33, 0.36, 0.3])
    expect(rounded(0.1, 60)).toEqual([0.56, 0.24, 0.2])
    expect(rounded(0.01, 1)).toEqual([0.25, 0.65, 0.11])
    expect(rounded(0.01, 60)).toEqual([1, 0, 0])
  })

  it('weighs every row to 1, or to its number of tasks in the summing mode', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const norms = rowNorms(block)
        for (let row = 0; row < block.rows; row++) {
          const of = (mode: string): number =>
            taskWeights(pmtrecOptions.parse({ mode, tau: 0.1 }), block, norms, 0.1)
              .subarray(row * block.tasks, (row + 1) * block.tasks)
              .reduce((sum, w) => sum + w, 0)
          const present = norms
            .subarray(row * block.tasks, (row + 1) * block.tasks)
            .filter((norm) => norm > 0).length
          expect(of('paper')).toBeCloseTo(1, 12)
          expect(of('masked')).toBeCloseTo(present > 0 ? 1 : 0, 12)
          expect(of('masked-sum')).toBeCloseTo(present, 12)
        }
      }),
      RUNS,
    )
  })

  it('is the mean of the tasks for a large tau, and their plain sum in the summing mode', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const mean = sumOfTasks(block, () => 1 / block.tasks)
        expectEqual(combine({ mode: 'paper', tau: 1e9 }, block), mean, 1e-7)
        expectEqual(
          combine({ tau: 1e9 }, block),
          sumOfTasks(block, () => 1),
          1e-7,
        )
      }),
      RUNS,
    )
  })

  it('lets the largest gradient win alone for a small tau', () => {
    expectEqual(weights({ tau: 1e-9 }, [0.3, 0.1, 0.2], 0) as never, [1, 0, 0], 1e-12)
  })

  it('stays the same over epochs with alpha 1', () => {
    expect(weights({ alpha: 1 }, [1, 2], 0)).toEqual(weights({ alpha: 1 }, [1, 2], 500))
  })

  it('moves weight to the main task over epochs until the cap, without scaling its gradient', () => {
    const at = (step: number): number =>
      weights({ alpha: 1.1, tau: 1, maxFocus: 2, main: 1 }, [1, 1], step)[1]!
    expect(at(3)).toBeGreaterThan(at(0))
    expect(at(100)).toBe(at(50))
    expect(at(100)).toBeCloseTo(Math.exp(2) / (Math.exp(2) + Math.exp(1)), 12)
  })

  it('counts pseudo-epochs of the stated number of steps', () => {
    const at = (step: number): number[] => weights({ alpha: 1.5, stepsPerEpoch: 10 }, [1, 1], step)
    expect(at(9)).toEqual(at(0))
    expect(at(10)).not.toEqual(at(9))
  })

  it('does not let a task without gradient dilute a row in the masked mode', () => {
    const block = { gradients: Float64Array.of(3, 4, 0, 0), rows: 1, tasks: 2, width: 2, step: 0 }
    expect([...combine({ mode: 'masked' }, block)]).toEqual([3, 4])
    expect(combine({ mode: 'paper' }, block)[0]).toBeLessThan(3)
  })

  it('with a relative tau gives the same weights at any scale of the gradients', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const larger = { ...block, gradients: block.gradients.map((g) => g * 1000) }
        const options = { relativeTau: true, tau: 0.5 }
        const want = combine(options, block).map((g) => g * 1000)
        expectEqual(combine(options, larger), want, 1e-8)
      }),
      RUNS,
    )
  })

  it('remembers row norms in the memory it is given when told to, and only of tasks that touched the row', () => {
    const balancer = pmtrec(pmtrecOptions.parse({ rowDecay: 0.5 }))
    const norms = new Float64Array(2)
    const step = (a: number, b: number): void => {
      const block = {
        gradients: Float64Array.of(a, b),
        rows: 1,
        tasks: 2,
        width: 1,
        step: 0,
        norms,
      }
      balancer.combine(block, balancer.init(), new Float64Array(1))
    }
    step(4, 1)
    step(2, 0)
    expect(balancer.remembers).toBe(true)
    expect([...norms]).toEqual([3, 1])
  })

  it('works on float32 rows and writes every element of the result', () => {
    const gradients = Float32Array.of(1, 0, 0, 1)
    const out = new Float32Array(2).fill(Number.NaN)
    const balancer = pmtrec(pmtrecOptions.parse({}))
    balancer.combine({ gradients, rows: 1, tasks: 2, width: 2, step: 0 }, balancer.init(), out)
    expect([...out]).toEqual([1, 1])
  })

  it('names the lengths when a block is misshapen', () => {
    const balancer = pmtrec(pmtrecOptions.parse({}))
    const block = { gradients: new Float64Array(3), rows: 1, tasks: 2, width: 2, step: 0 }
    expect(() => balancer.combine(block, balancer.init(), new Float64Array(2))).toThrow(
      /3 gradients/,
    )
  })
})
