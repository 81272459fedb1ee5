/** @file Certificates of the methods that solve for their coefficients: what the paper asks of the result, checked on the result. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alignedMtl } from '../../src/balance/aligned-mtl.ts'
import type { Balancer } from '../../src/balance/balancer.ts'
import { cagrad } from '../../src/balance/cagrad.ts'
import { fairgrad } from '../../src/balance/fairgrad.ts'
import { combinedNorm, dot, gramOf, gramTimes } from '../../src/balance/gram.ts'
import { imtlG } from '../../src/balance/imtl-g.ts'
import { solveLinear } from '../../src/balance/linear-solve.ts'
import { nashMtl } from '../../src/balance/nash-mtl.ts'
import { LENGTH, type Problem, problems } from '../contracts/balancer-problems.ts'

const RUNS = { seed: 16, numRuns: 200 }

function solve(balancer: Balancer, { tasks, grads, losses }: Problem) {
  const gram = gramOf(grads, tasks, LENGTH)
  const active = new Uint8Array(tasks).fill(1)
  const { coefficients } = balancer.coefficients({ gram, losses, active, step: 0 }, {})
  return { gram, coefficients, norms: losses.map((_, i) => Math.sqrt(gram[i * (tasks + 1)]!)) }
}

describe('the solvers', () => {
  it('Nash-MTL: every task gains equally in proportion, a_i (M a)_i = 1', () => {
    fc.assert(
      fc.property(problems(1, 6), (problem) => {
        const { gram, coefficients } = solve(nashMtl({ maxNorm: 0 }), problem)
        gramTimes(gram, coefficients).forEach((product, i) => {
          expect(product * coefficients[i]!).toBeCloseTo(1, 7)
        })
      }),
      RUNS,
    )
  })

  it('Nash-MTL: the result is clipped to norm 1 by default, whatever the gradients', () => {
    fc.assert(
      fc.property(problems(1, 6), (problem) => {
        const { gram, coefficients } = solve(nashMtl({ maxNorm: 1 }), problem)
        expect(combinedNorm(gram, coefficients)).toBeCloseTo(1, 5)
      }),
      RUNS,
    )
  })

  it('FairGrad: (M w)_i = w_i^(-1/alpha) for small and large alpha', () => {
    fc.assert(
      fc.property(problems(1, 6), fc.constantFrom(0.5, 1, 2, 4), (problem, alpha) => {
        const options = { alpha, timesTasks: false, maxNorm: 0 }
        const { gram, coefficients } = solve(fairgrad(options), problem)
        gramTimes(gram, coefficients).forEach((product, i) => {
          expect(product * coefficients[i]! ** (1 / alpha)).toBeCloseTo(1, 6)
        })
      }),
      RUNS,
    )
  })

  it('CAGrad: no mix of tasks is worse for the weights it found', () => {
    fc.assert(
      fc.property(problems(2, 6), (problem) => {
        const c = 0.5
        const { gram, coefficients } = solve(cagrad({ c, rescale: 0 }), problem)
        const count = problem.tasks
        const pulls = coefficients.map((value) => value - 1 / count)
        const total = pulls.reduce((sum, value) => sum + value, 0)
        const w = pulls.map((value) => value / total)
        const even = new Float64Array(count).fill(1 / count)
        const radius = c * Math.sqrt(combinedNorm(gram, even) ** 2 + 1e-8) + 1e-8
        const norm = Math.sqrt(combinedNorm(gram, w) ** 2 + 1e-8)
        const mean = gramTimes(gram, even)
        const slope = gramTimes(gram, w).map((m, i) => mean[i]! + (radius * m) / norm)
        const level = dot(slope, w)
        const scale = Math.max(...gram)
        slope.forEach((value, i) => {
          expect(level - value).toBeLessThan(1e-7 * scale)
          if (w[i]! > 1e-9) expect(value - level).toBeLessThan(1e-7 * scale)
        })
      }),
      RUNS,
    )
  })

  it('IMTL-G: projections on all unit gradients are equal and coefficients sum to 1', () => {
    fc.assert(
      fc.property(problems(1, 5), (problem) => {
        const { gram, coefficients, norms } = solve(imtlG({}), problem)
        const projections = gramTimes(gram, coefficients).map((value, i) => value / norms[i]!)
        // Cancellation is judged against the terms of the sum.
        const size = Math.max(...coefficients.map((a, i) => Math.abs(a) * norms[i]!))
        for (const value of projections) {
          expect(Math.abs(value - projections[0]!)).toBeLessThan(1e-7 * size)
        }
        expect(coefficients.reduce((sum, a) => sum + a, 0)).toBeCloseTo(1, 7)
      }),
      RUNS,
    )
  })

  it('IMTL-G: equal gradients share one result however singular their system is', () => {
    const grads = new Float64Array(3 * LENGTH).fill(2)
    const { coefficients } = solve(imtlG({}), { tasks: 3, grads, losses: new Float64Array(3) })
    expect(coefficients.reduce((sum, a) => sum + a, 0)).toBeCloseTo(1, 12)
  })

  it('Aligned-MTL: orthogonal gradients all come down to the shortest one', () => {
    const grads = new Float64Array(3 * LENGTH)
    for (let i = 0; i < 3; i++) grads[i * LENGTH + i] = 2 ** i
    const { coefficients } = solve(alignedMtl({ tolerance: 1e-10 }), {
      ...{ tasks: 3, grads, losses: new Float64Array(3) },
    })
    expect([...coefficients]).toEqual([1, 0.5, 0.25])
  })

  it('Aligned-MTL: the squared norm is T times the smallest eigenvalue, since B M B = l_min I', () => {
    fc.assert(
      fc.property(problems(2, 5), (problem) => {
        const { gram, coefficients } = solve(alignedMtl({ tolerance: 1e-10 }), problem)
        const smallest = combinedNorm(gram, coefficients) ** 2 / problem.tasks
        // l_min by inverse iteration from a vector that is not special: another road to the same number.
        let v = Float64Array.from({ length: problem.tasks }, (_, i) => 1 + Math.sin(i + 1))
        for (let round = 0; round < 500; round++) {
          const next = solveLinear(gram, v)!
          const norm = Math.hypot(...next)
          v = next.map((value) => value / norm)
        }
        expect(smallest / dot(v, gramTimes(gram, v))).toBeCloseTo(1, 4)
      }),
      { ...RUNS, numRuns: 30 },
    )
  })
})
