import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gramOf } from '../../src/balance/gram.ts'
import { symmetricEigen } from '../../src/balance/symmetric-eigen.ts'
import { randomFrom } from '../../src/random.ts'

describe('the eigen-decomposition of a symmetric matrix', () => {
  it('rebuilds the matrix from orthonormal vectors, at full and at deficient rank', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        (n, rank, seed) => {
          const random = randomFrom(seed)
          const g = Float64Array.from({ length: n * rank }, () => random.normal())
          const matrix = gramOf(g, n, rank)
          const { values, vectors } = symmetricEigen(matrix, n)
          const largest = Math.max(...values)
          let worst = 0
          for (let i = 0; i < n; i++) {
            for (let j = 0; j < n; j++) {
              let rebuilt = 0
              let product = 0
              for (let k = 0; k < n; k++) {
                rebuilt += vectors[i * n + k]! * values[k]! * vectors[j * n + k]!
                product += vectors[k * n + i]! * vectors[k * n + j]!
              }
              worst = Math.max(worst, Math.abs(rebuilt - matrix[i * n + j]!) / largest)
              worst = Math.max(worst, Math.abs(product - (i === j ? 1 : 0)))
            }
          }
          expect(worst).toBeLessThan(1e-13)
        },
      ),
      { seed: 12 },
    )
  })

  it('finds the known eigenvalues of a small matrix', () => {
    const { values } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2)
    expect([...values].sort()[0]).toBeCloseTo(1, 14)
    expect([...values].sort()[1]).toBeCloseTo(3, 14)
  })
})
