import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dot, gramOf, gramTimes } from '../../src/balance/gram.ts'
import { minimiseOnSimplex } from '../../src/balance/simplex-quadratic.ts'
import { randomFrom } from '../../src/random.ts'

describe('the minimiser of a quadratic on the simplex', () => {
  it('satisfies the optimality conditions for any rank and linear term', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 10 }),
        fc.constantFrom(0, 1),
        fc.nat(),
        (n, rank, tilt, seed) => {
          const random = randomFrom(seed)
          const size = Float64Array.from({ length: n }, () => 10 ** (2 * random.uniform() - 1))
          const g = Float64Array.from({ length: n * rank }, (_, at) => {
            return random.normal() * size[Math.floor(at / rank)]!
          })
          const hessian = gramOf(g, n, rank)
          const linear = Float64Array.from({ length: n }, () => tilt * random.normal())
          const w = minimiseOnSimplex(hessian, linear)
          // On the support the slope is one level; off it, no entry is below: a certificate, no second solver needed.
          const slope = gramTimes(hessian, w).map((value, i) => value + linear[i]!)
          const level = dot(slope, w)
          const scale = Math.max(...hessian.map(Math.abs), ...linear.map(Math.abs))
          expect(w.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12)
          w.forEach((value, i) => {
            expect(value).toBeGreaterThanOrEqual(0)
            expect(level - slope[i]!).toBeLessThan(1e-10 * scale)
            if (value > 0) expect(slope[i]! - level).toBeLessThan(1e-10 * scale)
          })
        },
      ),
      { seed: 13, numRuns: 300 },
    )
  })

  it('gives equal gradients weights that sum to 1, whichever of the many it picks', () => {
    const w = minimiseOnSimplex(new Float64Array(9).fill(2), new Float64Array(3))
    expect(w.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12)
    expect(Math.min(...w)).toBeGreaterThanOrEqual(0)
  })

  it('leaves exact zeros off the optimal face', () => {
    expect([...minimiseOnSimplex(Float64Array.of(1, 2, 2, 9), new Float64Array(2))]).toEqual([1, 0])
  })
})
