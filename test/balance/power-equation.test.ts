import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gramOf, gramTimes } from '../../src/balance/gram.ts'
import { solvePowerEquation } from '../../src/balance/power-equation.ts'
import { randomFrom } from '../../src/random.ts'

/** Cosines of n random directions in 12 dimensions, pushed towards conflict. */
function cosines(n: number, conflict: number, seed: number): Float64Array {
  const random = randomFrom(seed)
  const shared = Float64Array.from({ length: 12 }, () => random.normal())
  const g = Float64Array.from({ length: n * 12 }, (_, at) => {
    return random.normal() + conflict * (-1) ** Math.floor(at / 12) * shared[at % 12]!
  })
  const gram = gramOf(g, n, 12)
  return gram.map((m, at) => {
    return m / Math.sqrt(gram[Math.floor(at / n) * (n + 1)]! * gram[(at % n) * (n + 1)]!)
  })
}

describe('the power equation C b = k / b^q', () => {
  it('is solved to nine digits for every q, scale of k and degree of conflict', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom(0.2, 0.5, 1, 2, 5),
        fc.double({ min: 0, max: 2, noNaN: true }),
        fc.nat(),
        (n, q, conflict, seed) => {
          const c = cosines(n, conflict, seed)
          const random = randomFrom(seed + 1)
          const k = Float64Array.from({ length: n }, () => 10 ** (random.uniform() - 0.5))
          const b = solvePowerEquation(c, k, q)
          gramTimes(c, b).forEach((product, i) => {
            expect(b[i]).toBeGreaterThan(0)
            expect(Math.abs((product * b[i]! ** q) / k[i]! - 1)).toBeLessThan(1e-8)
          })
        },
      ),
      { seed: 14, numRuns: 300 },
    )
  })

  it('has the closed form k^(1/(q+1)) when directions are orthogonal', () => {
    const b = solvePowerEquation(Float64Array.of(1, 0, 0, 1), Float64Array.of(8, 27), 2)
    expect(b[0]).toBeCloseTo(2, 11)
    expect(b[1]).toBeCloseTo(3, 11)
  })

  it('stays finite and positive where opposite gradients leave no root', () => {
    const b = solvePowerEquation(Float64Array.of(1, -1, -1, 1), Float64Array.of(1, 1), 1)
    for (const value of b) {
      expect(Number.isFinite(value)).toBe(true)
      expect(value).toBeGreaterThan(1)
    }
  })

  it('stays finite when rounding made the matrix indefinite', () => {
    const c = Float64Array.of(1, -1 - 1e-6, -1 - 1e-6, 1)
    for (const q of [0.2, 1, 5]) {
      const b = solvePowerEquation(c, Float64Array.of(1, 2), q)
      expect(b.every((value) => value > 0 && value < 1e9)).toBe(true)
    }
  })

  it('follows a share that is many decades below the others', () => {
    const c = Float64Array.of(1, 0.9, 0.9, 1)
    const b = solvePowerEquation(c, Float64Array.of(100, 1), 0.1)
    const [product = 0] = gramTimes(c, b).subarray(1)
    expect(b[1]).toBeLessThan(1e-15)
    expect(product * b[1]! ** 0.1).toBeCloseTo(1, 8)
  })
})
