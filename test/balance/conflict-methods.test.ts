/** @file PCGrad, GradVac and GradCraft in coefficient space against the same algorithms written on vectors. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gradcraft, gradcraftOptions } from '../../src/balance/gradcraft.ts'
import { gradvac, gradvacOptions } from '../../src/balance/gradvac.ts'
import { combined, gramOf } from '../../src/balance/gram.ts'
import { pcgrad, pcgradOptions } from '../../src/balance/pcgrad.ts'
import { shuffledPartners } from '../../src/balance/visiting-order.ts'
import { randomFrom } from '../../src/random.ts'
import { LENGTH, type Problem, problems, reordered } from '../contracts/balancer-problems.ts'

function rowsOf({ tasks, grads }: Problem): number[][] {
  return Array.from({ length: tasks }, (_, i) => [...grads.subarray(i * LENGTH, (i + 1) * LENGTH)])
}

function inner(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, p) => sum + value * b[p]!, 0)
}

function plus(a: readonly number[], times: number, b: readonly number[]): number[] {
  return a.map((value, p) => value + times * b[p]!)
}

function seen({ tasks, grads, losses }: Problem, step = 0) {
  const active = new Uint8Array(tasks).fill(1)
  return { losses, gram: gramOf(grads, tasks, LENGTH), active, step }
}

function expectVector(got: Float64Array, want: readonly number[], tolerance = 1e-9): void {
  const size = Math.hypot(...want) + 1e-12
  const gap = Math.hypot(...want.map((value, p) => value - got[p]!))
  expect(gap).toBeLessThan(tolerance * size)
}

const RUNS = { seed: 15, numRuns: 100 }

describe('PCGrad', () => {
  it('equals the projections carried out on the vectors, in the order drawn', () => {
    fc.assert(
      fc.property(problems(1, 6), fc.nat(), (problem, seed) => {
        const order = shuffledPartners(problem.tasks, randomFrom(seed))
        const rows = rowsOf(problem)
        const sum = rows
          .map((row, i) =>
            order[i]!.reduce((g, j) => {
              const product = inner(g, rows[j]!)
              return product < 0 ? plus(g, -product / inner(rows[j]!, rows[j]!), rows[j]!) : g
            }, row),
          )
          .reduce((total, row) => plus(total, 1, row))
        const balancer = pcgrad(pcgradOptions.parse({ epsilon: 0 }), () => order)
        const { coefficients } = balancer.coefficients(seen(problem), balancer.init(problem.tasks))
        expectVector(combined(coefficients, problem.grads, LENGTH), sum)
      }),
      RUNS,
    )
  })

  it('does not depend on the order of tasks when the visiting order moves along', () => {
    fc.assert(
      fc.property(problems(3, 3), (problem) => {
        const order = [
          [1, 2],
          [2, 0],
          [0, 1],
        ]
        const permutation = [2, 0, 1]
        const place = (task: number): number => permutation.indexOf(task)
        const movedOrder = permutation.map((task) => order[task]!.map(place))
        const run = (given: Problem, visits: number[][]) => {
          const balancer = pcgrad(pcgradOptions.parse({}), () => visits)
          const { coefficients } = balancer.coefficients(seen(given), balancer.init(3))
          return combined(coefficients, given.grads, LENGTH)
        }
        expectVector(run(reordered(problem, permutation), movedOrder), [...run(problem, order)])
      }),
      RUNS,
    )
  })

  it('draws another order at the next step, and the same ones from the same seed', () => {
    const balancer = pcgrad(pcgradOptions.parse({ seed: 4 }))
    const problem = seen({
      tasks: 3,
      losses: new Float64Array(3),
      grads: Float64Array.from({ length: 36 }, (_, at) => Math.sin(at * at)),
    })
    const first = balancer.coefficients(problem, balancer.init(3))
    expect(first.state).not.toEqual(balancer.init(3))
    expect(balancer.coefficients(problem, balancer.init(3))).toEqual(first)
  })
})

describe('GradVac', () => {
  it('equals the corrections carried out on the vectors, over several steps', () => {
    fc.assert(
      fc.property(problems(2, 5), fc.nat(), (problem, seed) => {
        const random = randomFrom(seed)
        const options = gradvacOptions.parse({ beta: 0.3 })
        const rho = rowsOf(problem).map(() => new Array<number>(problem.tasks).fill(0))
        let state = gradvac(options).init(problem.tasks)
        for (let step = 0; step < 3; step++) {
          const given = { ...problem, grads: problem.grads.map((g) => g + random.normal()) }
          const order = shuffledPartners(problem.tasks, random)
          const want = vaccinate(rowsOf(given), order, rho, 0.3)
          const balanced = gradvac(options, () => order).coefficients(seen(given), state)
          state = balanced.state
          expectVector(combined(balanced.coefficients, given.grads, LENGTH), want)
        }
        expectVector(Float64Array.from(state.rho!), rho.flat(), 1e-7)
      }),
      RUNS,
    )
  })

  it('keeps its target where no correction was needed, when told to update only on correction', () => {
    const options = gradvacOptions.parse({ update: 'corrected' })
    const aligned = { tasks: 2, losses: new Float64Array(2), grads: new Float64Array(24).fill(1) }
    const balancer = gradvac(options)
    expect(balancer.coefficients(seen(aligned), balancer.init(2)).state.rho).toEqual([0, 0, 0, 0])
  })
})

function vaccinate(
  rows: readonly number[][],
  order: readonly (readonly number[])[],
  rho: number[][],
  beta: number,
): number[] {
  const norm = (a: readonly number[]): number => Math.sqrt(inner(a, a))
  return rows
    .map((row, i) =>
      order[i]!.reduce((g, j) => {
        const other = rows[j]!
        const c = inner(g, other) / (norm(g) * norm(other) + 1e-8)
        const target = rho[i]![j]!
        rho[i]![j] = (1 - beta) * target + beta * c
        if (c >= target) return g
        const sine = Math.sqrt(1 - target ** 2)
        const rise = norm(g) * (target * Math.sqrt(1 - c * c) - c * sine)
        return plus(g, rise / (norm(other) * sine + 1e-8), other)
      }, row),
    )
    .reduce((total, row) => plus(total, 1, row))
}

describe('GradCraft', () => {
  it('is half of PCGrad for two tasks without scaling', () => {
    fc.assert(
      fc.property(problems(2, 2), (problem) => {
        const crafted = gradcraft(gradcraftOptions.parse({ tau: 0 }))
        const projected = pcgrad(pcgradOptions.parse({ epsilon: 0 }))
        const half = crafted.coefficients(seen(problem), crafted.init(2)).coefficients
        const whole = projected.coefficients(seen(problem), projected.init(2)).coefficients
        expectVector(half, [...whole.map((c) => c / 2)])
      }),
      RUNS,
    )
  })

  it('equals the mean of gradients whose conflicts are solved together on the vectors', () => {
    fc.assert(
      fc.property(problems(3, 3), (problem) => {
        const epsilon = 0.1
        const hat = rowsOf(problem).map((row, _, all) => {
          const largest = Math.max(...all.map((other) => Math.hypot(...other)))
          return row.map((value) => value * (0.5 + (0.5 * largest) / Math.hypot(...row)))
        })
        const mean = hat
          .map((row, i) => solveByRounds(row, hat, i, epsilon))
          .reduce((total, row) => plus(total, 1 / 3, row), new Array<number>(LENGTH).fill(0))
        const balancer = gradcraft(gradcraftOptions.parse({ tau: 0.5, epsilon }))
        const { coefficients } = balancer.coefficients(seen(problem), balancer.init(3))
        expectVector(combined(coefficients, problem.grads, LENGTH), mean, 1e-7)
      }),
      { ...RUNS, numRuns: 30 },
    )
  })
})

/** Alternating projections onto <g, ghat_k> = epsilon |ghat_i| |ghat_k|: slow, but shares nothing with the closed form. */
function solveByRounds(
  row: readonly number[],
  hat: readonly (readonly number[])[],
  i: number,
  epsilon: number,
): number[] {
  const foes = hat.filter((other, k) => k !== i && inner(row, other) < 0)
  let g = [...row]
  for (let round = 0; round < 4000; round++) {
    let worst = 0
    for (const foe of foes) {
      const gap = epsilon * Math.hypot(...row) * Math.hypot(...foe) - inner(g, foe)
      worst = Math.max(worst, Math.abs(gap))
      g = plus(g, gap / inner(foe, foe), foe)
    }
    if (worst < 1e-12) break
  }
  return g
}
