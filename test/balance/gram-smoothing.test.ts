import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Balancer } from '../../src/balance/balancer.ts'
import { gramOf } from '../../src/balance/gram.ts'
import { smoothed } from '../../src/balance/gram-smoothing.ts'
import { symmetricEigen } from '../../src/balance/symmetric-eigen.ts'
import { randomFrom } from '../../src/random.ts'

/** Shows what it is given: M as coefficients of T x T tasks would not fit, so it is kept in the state. */
const shown: Balancer = {
  name: 'shown',
  needs: 'gram',
  init: () => ({ seen: [] }),
  coefficients: ({ gram, active }) => ({
    coefficients: Float64Array.from(active),
    state: { seen: [...gram] },
  }),
}

function run(decay: number, steps: readonly { gram: Float64Array; active: Uint8Array }[]) {
  const balancer = smoothed(shown, { decay })
  const tasks = steps[0]!.active.length
  let state = balancer.init(tasks)
  return steps.map(({ gram, active }, step) => {
    const losses = new Float64Array(tasks)
    state = balancer.coefficients({ gram, active, losses, step }, state).state
    return Float64Array.from(state.seen!)
  })
}

describe('a smoothed Gram matrix', () => {
  it('is the matrix itself at the first step and the bias-corrected running mean later', () => {
    const random = randomFrom(3)
    const steps = Array.from({ length: 6 }, () => ({
      gram: gramOf(
        Float64Array.from({ length: 6 }, () => random.normal()),
        2,
        3,
      ),
      active: Uint8Array.of(1, 1),
    }))
    const seen = run(0.8, steps)
    let mean = new Float64Array(4)
    steps.forEach(({ gram }, n) => {
      mean = mean.map((m, at) => 0.8 * m + 0.2 * gram[at]!)
      const want = mean.map((m) => m / (1 - 0.8 ** (n + 1)))
      const gap = Math.max(...want.map((m, at) => Math.abs(m - seen[n]![at]!)))
      expect(gap).toBeLessThan(1e-12)
    })
  })

  it('stays positive semi-definite whatever tasks are absent when', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0.1, max: 0.99, noNaN: true }), (seed, decay) => {
        const random = randomFrom(seed)
        const steps = Array.from({ length: 20 }, () => ({
          gram: gramOf(
            Float64Array.from({ length: 16 }, () => random.normal()),
            4,
            4,
          ),
          active: Uint8Array.from({ length: 4 }, () => (random.uniform() < 0.5 ? 1 : 0)),
        }))
        for (const gram of run(decay, steps)) {
          const { values } = symmetricEigen(gram, 4)
          expect(Math.min(...values)).toBeGreaterThan(-1e-12 * (1 + Math.max(...values)))
        }
      }),
      { seed: 22 },
    )
  })

  it('keeps the norm of a task that is away', () => {
    const gram = Float64Array.of(4, 1, 1, 9)
    const other = Float64Array.of(16, 5, 5, 25)
    const seen = run(0.5, [
      { gram, active: Uint8Array.of(1, 1) },
      { gram: other, active: Uint8Array.of(1, 0) },
    ])
    expect(seen[1]![3]).toBeCloseTo(9, 12)
    expect(seen[1]![0]).toBeCloseTo((0.25 * 4 + 0.5 * 16) / 0.75, 12)
  })
})
