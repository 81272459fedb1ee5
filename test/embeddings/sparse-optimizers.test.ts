/** @file Each sparse optimizer against a slow dense one in float64, on random sparse histories. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type SparseOptimizerOptions,
  sparseOptimizer,
  sparseOptimizerOptions,
} from '../../src/embeddings/sparse-optimizers.ts'

/** A column's history of gradients, undefined where the row was not touched, to its value after each step. */
type Oracle = (initial: number, gradients: readonly (number | undefined)[]) => number

function adagradOracle(lr: number, start: number, epsilon: number, halfLife = Infinity): Oracle {
  return (initial, gradients) => {
    const seen = gradients.filter((g) => g !== undefined)
    // The sum of squares is taken anew for each step: slow, and nothing like the incremental code.
    return seen.reduce((w, g, i) => {
      const keep = (steps: number): number => 2 ** (-steps / halfLife)
      const past = seen.slice(0, i + 1).map((x, at) => keep(i - at) * x * x)
      const sum = past.reduce((total, x) => total + x, keep(i + 1) * start)
      return w - (lr * g) / (Math.sqrt(sum) + epsilon)
    }, initial)
  }
}

function adamOracle(lr: number, beta1: number, beta2: number, epsilon: number): Oracle {
  const average = (values: readonly number[], beta: number): number => {
    const weights = values.map((_, i) => beta ** (values.length - 1 - i))
    const total = weights.reduce((a, b) => a + b, 0)
    return values.reduce((sum, value, i) => sum + value * weights[i]!, 0) / total
  }
  return (initial, gradients) => {
    const seen = gradients.filter((g) => g !== undefined)
    return seen.reduce((w, _, i) => {
      const past = seen.slice(0, i + 1)
      // Bias-corrected moments are exponentially weighted averages of what was seen.
      const m = average(past, beta1)
      const v = average(
        past.map((g) => g * g),
        beta2,
      )
      return w - (lr * m) / (Math.sqrt(v) + epsilon)
    }, initial)
  }
}

/** The proximal form that FTRL is the closed solution of: argmin over w of g.w sums + 1/2 sum sigma (w - w_s)^2 + l1 |w| + l2/2 w^2. */
function ftrlOracle(alpha: number, beta: number, l1: number, l2: number, start: number): Oracle {
  return (initial, gradients) => {
    const firstRate = (beta + Math.sqrt(start)) / alpha
    const pull = initial === 0 ? 0 : initial * (firstRate + l2) + Math.sign(initial) * l1
    const history: { g: number; sigma: number; w: number }[] = []
    let w = initial
    let n = start
    for (const g of gradients) {
      if (g === undefined) continue
      history.push({ g, sigma: (Math.sqrt(n + g * g) - Math.sqrt(n)) / alpha, w })
      n += g * g
      const quadratic = firstRate + l2 + history.reduce((sum, { sigma }) => sum + sigma, 0)
      const linear = history.reduce((sum, step) => sum + step.g - step.sigma * step.w, -pull)
      w = minimise(quadratic, linear, l1)
    }
    return w
  }
}

/** argmin of a/2 w^2 + b w + c |w| by bisection on its (monotone) derivative. */
function minimise(a: number, b: number, c: number): number {
  if (Math.abs(b) <= c) return 0
  const sign = b < 0 ? 1 : -1
  let [low, high] = [0, 1e6]
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2
    if (a * middle + sign * b + c < 0) low = middle
    else high = middle
  }
  return (sign * (low + high)) / 2
}

const cases: [string, SparseOptimizerOptions, Oracle][] = [
  ['adagrad', parse({ kind: 'adagrad' }), adagradOracle(0.05, 0, 1e-10)],
  [
    'adagrad with an accumulator that starts above 0',
    parse({ kind: 'adagrad', learning_rate: 0.2, initial_accumulator: 0.1, epsilon: 1e-6 }),
    adagradOracle(0.2, 0.1, 1e-6),
  ],
  ['adam', parse({ kind: 'adam' }), adamOracle(0.001, 0.9, 0.999, 1e-8)],
  [
    'adam with short memories',
    parse({ kind: 'adam', learning_rate: 0.05, beta1: 0.5, beta2: 0.8, epsilon: 1e-4 }),
    adamOracle(0.05, 0.5, 0.8, 1e-4),
  ],
  [
    'adagrad that forgets',
    parse({ kind: 'adagrad', initial_accumulator: 0.3, half_life_steps: 5 }),
    adagradOracle(0.05, 0.3, 1e-10, 5),
  ],
  ['ftrl', parse({ kind: 'ftrl' }), ftrlOracle(0.05, 1, 0, 0, 0)],
  [
    'ftrl with l1, l2 and an accumulator that starts above 0',
    parse({ kind: 'ftrl', alpha: 0.3, beta: 0.5, l1: 0.4, l2: 0.7, initial_accumulator: 0.2 }),
    ftrlOracle(0.3, 0.5, 0.4, 0.7, 0.2),
  ],
]

function parse(options: object): SparseOptimizerOptions {
  return sparseOptimizerOptions.parse(options)
}

const gradient = fc.oneof(
  fc.constant(undefined),
  fc.double({ min: -2, max: 2, noNaN: true }).filter((g) => Math.abs(g) > 1e-3),
)

test.each(cases)('%s follows its dense oracle on any sparse history', (_name, options, oracle) => {
  const optimizer = sparseOptimizer(options)
  fc.assert(
    fc.property(
      fc.array(fc.tuple(gradient, gradient), { maxLength: 40 }),
      fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.constant(0)),
      (history, initial) => {
        const width = 2
        const stateAt = 5
        const record = new Float32Array(stateAt + optimizer.stateWidth(width) + 3).fill(77)
        record.set(initial, 2)
        optimizer.start(record, 2, stateAt, width)
        for (const [a, b] of history) {
          if (a === undefined && b === undefined) continue
          optimizer.step(record, 2, stateAt, width, Float32Array.of(9, a ?? 0, b ?? 0), 1, 1)
        }
        const touched = history.filter(([a, b]) => a !== undefined || b !== undefined)
        for (let c = 0; c < width; c++) {
          const expected = oracle(
            Math.fround(initial[c]!),
            touched.map((pair) => Math.fround(pair[c] ?? 0)),
          )
          expect(Math.abs(record[2 + c]! - expected)).toBeLessThan(2e-5 * (1 + Math.abs(expected)))
        }
        const outside = [0, 1, 4, record.length - 3, record.length - 2, record.length - 1]
        expect(outside.map((at) => record[at])).toEqual(outside.map(() => 77))
      },
    ),
    { seed: 20260201, numRuns: 300 },
  )
})

test.each(cases)('%s descends a quadratic', (_name, options) => {
  const optimizer = sparseOptimizer({
    ...options,
    ...(options.kind === 'ftrl' ? { l1: 0, l2: 0 } : {}),
  })
  const record = new Float32Array(1 + optimizer.stateWidth(1))
  optimizer.start(record, 0, 1, 1)
  const loss = (): number => (record[0]! - 0.3) ** 2
  const before = loss()
  for (let i = 0; i < 2000; i++) {
    optimizer.step(record, 0, 1, 1, Float32Array.of(2 * (record[0]! - 0.3) || 1e-9), 0, 1)
  }
  expect(loss()).toBeLessThan(before / 100)
})

test('ftrl with l1 keeps a column without evidence at exactly zero', () => {
  const optimizer = sparseOptimizer(parse({ kind: 'ftrl', l1: 1 }))
  const record = new Float32Array(3)
  optimizer.start(record, 0, 1, 1)
  for (const g of [0.3, -0.2, 0.4, -0.1]) {
    optimizer.step(record, 0, 1, 1, Float32Array.of(g), 0, 1)
  }
  expect(record[0]).toBe(0)
  for (let i = 0; i < 5; i++) optimizer.step(record, 0, 1, 1, Float32Array.of(0.5), 0, 1)
  expect(record[0]).toBeLessThan(0)
})

test.each(['adagrad', 'adam'] as const)(
  '%s moves a row by half with half the learning rate',
  (kind) => {
    const moved = (factor: number): number => {
      const optimizer = sparseOptimizer(parse({ kind }))
      const record = new Float32Array(1 + optimizer.stateWidth(1))
      optimizer.start(record, 0, 1, 1)
      optimizer.step(record, 0, 1, 1, Float32Array.of(0.5), 0, factor)
      return record[0]!
    }
    expect(moved(1)).toBeLessThan(0)
    expect(moved(0.5)).toBeCloseTo(moved(1) / 2, 7)
  },
)

test('adagrad that forgets goes on moving where one that does not stands still', () => {
  const lastMove = (options: object): number => {
    const optimizer = sparseOptimizer(parse({ kind: 'adagrad', ...options }))
    const record = new Float32Array(2)
    optimizer.start(record, 0, 1, 1)
    let before = 0
    for (let i = 0; i < 10_000; i++) {
      before = record[0]!
      optimizer.step(record, 0, 1, 1, Float32Array.of(i % 2 === 0 ? 1 : -1), 0, 1)
    }
    return Math.abs(record[0]! - before)
  }
  expect(lastMove({})).toBeCloseTo(0.05 / 100, 5)
  // n stays at 1 / (1 - keep): some 145 squares for a half-life of 100.
  expect(lastMove({ half_life_steps: 100 })).toBeCloseTo(0.05 / Math.sqrt(145), 3)
})
