import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gramTimes } from '../../src/balance/gram.ts'
import { solveLinear } from '../../src/balance/linear-solve.ts'
import { randomFrom } from '../../src/random.ts'

describe('solving a small linear system', () => {
  it('gives back the vector that made the right side, also when rows differ by 1e12 in size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(), (n, seed) => {
        const random = randomFrom(seed)
        const size = Float64Array.from({ length: n }, () => 10 ** (12 * random.uniform() - 6))
        // A dominant diagonal keeps the condition number small once rows are scaled.
        const a = Float64Array.from({ length: n * n }, (_, at) => {
          const value = at % (n + 1) === 0 ? 2 * n : random.uniform() - 0.5
          return value * size[Math.floor(at / n)]!
        })
        const x = Float64Array.from({ length: n }, () => random.normal())
        const solved = solveLinear(a, gramTimes(a, x)) ?? []
        const gap = Math.max(...x.map((value, i) => Math.abs(value - (solved[i] ?? Number.NaN))))
        expect(gap).toBeLessThan(1e-11)
      }),
      { seed: 11 },
    )
  })

  it('needs no pivot on the diagonal', () => {
    expect([...(solveLinear(Float64Array.of(0, 2, 4, 0), [6, 8]) ?? [])]).toEqual([2, 3])
  })

  it('says that a singular, empty-rowed or infinite system has no solution', () => {
    expect(solveLinear(Float64Array.of(1, 2, 2, 4), [1, 2])).toBeUndefined()
    expect(solveLinear(Float64Array.of(1, 2, 0, 0), [1, 0])).toBeUndefined()
    expect(solveLinear(Float64Array.of(1, Number.POSITIVE_INFINITY, 0, 1), [1, 1])).toBeUndefined()
    expect(solveLinear(Float64Array.of(Number.NaN), [1])).toBeUndefined()
  })
})
