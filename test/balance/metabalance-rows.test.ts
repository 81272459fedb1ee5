import { describe, expect, it } from 'vitest'
import { gramOf } from '../../src/balance/gram.ts'
import { metabalance, metabalanceOptions } from '../../src/balance/metabalance.ts'
import { rowBalanceOptions, rowBalancerFrom } from '../../src/balance/row-balancers.ts'

const settings = rowBalanceOptions.parse({ kind: 'metabalance', relax: 1, beta: 0.5 })

describe('MetaBalance per embedding row', () => {
  it('raises an auxiliary gradient to the running norm of the target, row by row', () => {
    const balancer = rowBalancerFrom(settings)
    const norms = new Float64Array(4)
    const out = new Float64Array(2)
    const gradients = Float64Array.of(4, 1, 8, 2)
    balancer.combine({ gradients, rows: 2, tasks: 2, width: 1, step: 0, norms }, {}, out)
    expect([...out]).toEqual([8, 16])
    expect([...norms]).toEqual([4, 1, 8, 2])
  })

  it('leaves a gradient as it is until the target has touched the row, and keeps the norm of who did not', () => {
    const balancer = rowBalancerFrom(settings)
    const norms = new Float64Array(2)
    const out = new Float64Array(1)
    const step = (target: number, other: number): number => {
      const gradients = Float64Array.of(target, other)
      balancer.combine({ gradients, rows: 1, tasks: 2, width: 1, step: 0, norms }, {}, out)
      return out[0]!
    }
    expect(step(0, 3)).toBe(3)
    expect(step(6, 0)).toBe(6)
    expect([...norms]).toEqual([6, 3])
  })

  it('tends to the method on dense parameters for a row that recurs', () => {
    const options = metabalanceOptions.parse({ relax: 0.7, beta: 0.9 })
    const dense = metabalance(options)
    const balancer = rowBalancerFrom(rowBalanceOptions.parse({ kind: 'metabalance' }))
    const gradients = Float64Array.of(1, 2, 3, 4)
    const norms = new Float64Array(2)
    const out = new Float64Array(2)
    const seen = { gram: gramOf(gradients, 2, 2), losses: Float64Array.of(1, 1) }
    const active = Uint8Array.of(1, 1)
    let state = dense.init(2)
    let weight = 0
    for (let step = 0; step < 5; step++) {
      balancer.combine({ gradients, rows: 1, tasks: 2, width: 2, step, norms }, {}, out)
      const balanced = dense.coefficients({ ...seen, active, step }, state)
      state = balanced.state
      weight = balanced.coefficients[1]!
    }
    expect(out[0]).toBeCloseTo(1 + weight * 3, 12)
  })

  it('asks for the memory that it needs', () => {
    const block = { gradients: new Float64Array(2), rows: 1, tasks: 2, width: 1, step: 0 }
    expect(() => rowBalancerFrom(settings).combine(block, {}, new Float64Array(1))).toThrow(
      /no norms/,
    )
  })
})
