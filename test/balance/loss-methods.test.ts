/** @file What the methods that look at losses alone do over time: where they settle, and how absent tasks and starts are treated. */

import { describe, expect, it } from 'vitest'
import type { Balancer, BalancerState } from '../../src/balance/balancer.ts'
import { bounded } from '../../src/balance/coefficient-bounds.ts'
import { dwa, dwaOptions } from '../../src/balance/dwa.ts'
import { equal } from '../../src/balance/equal.ts'
import { famo, famoOptions } from '../../src/balance/famo.ts'
import { gradnorm, gradnormOptions } from '../../src/balance/gradnorm.ts'
import { imtlL, imtlLOptions } from '../../src/balance/imtl-l.ts'
import { rlw } from '../../src/balance/rlw.ts'
import { stch, stchOptions } from '../../src/balance/stch.ts'
import { uncertainty, uncertaintyOptions } from '../../src/balance/uncertainty.ts'

/** Feeds losses step by step; undefined is a task without labels. Gradients are orthogonal with the given norms. */
function run(
  balancer: Balancer,
  steps: readonly (readonly (number | undefined)[])[],
  norms: readonly number[] = [],
): { coefficients: number[]; state: BalancerState }[] {
  const tasks = steps[0]!.length
  let state = balancer.init(tasks)
  return steps.map((losses, step) => {
    const gram = Float64Array.from({ length: tasks * tasks }, (_, at) => {
      return at % (tasks + 1) === 0 ? (norms[at % tasks] ?? 1) ** 2 : 0
    })
    const seen = {
      losses: Float64Array.from(losses, (loss) => loss ?? 0),
      active: Uint8Array.from(losses, (loss) => (loss === undefined ? 0 : 1)),
      gram,
      step,
    }
    const balanced = balancer.coefficients(seen, state)
    state = balanced.state
    return { coefficients: [...balanced.coefficients], state }
  })
}

function repeated<Item>(count: number, item: Item): Item[] {
  return new Array<Item>(count).fill(item)
}

describe('uncertainty weighting', () => {
  it('settles at s = log 2L in the classification form and log L in the halved one', () => {
    const steps = repeated(4000, [0.2, 1.5])
    const bce = uncertainty(uncertaintyOptions.parse({}))
    const half = uncertainty(
      uncertaintyOptions.parse({ form: 'half', optimizer: 'sgd', learningRate: 0.1 }),
    )
    const [a = 0, b = 0] = run(bce, steps).at(-1)!.coefficients
    expect(a).toBeCloseTo(1 / (2 * 0.2), 3)
    expect(b).toBeCloseTo(1 / (2 * 1.5), 3)
    expect(run(half, steps).at(-1)!.coefficients[0]).toBeCloseTo(1 / (2 * 0.2), 3)
  })
})

describe('IMTL-L', () => {
  it('settles at coefficients 1 / L', () => {
    const last = run(imtlL(imtlLOptions.parse({})), repeated(4000, [0.2, 1.5])).at(-1)!
    expect(last.coefficients[0]).toBeCloseTo(5, 3)
    expect(last.coefficients[1]).toBeCloseTo(1 / 1.5, 3)
  })
})

describe('RLW', () => {
  it('draws weights that sum to 1, differ by step and are equal on average', () => {
    const drawn = run(rlw({ seed: 9 }), repeated(4000, [1, 1, 1])).map((step) => step.coefficients)
    const mean = drawn.reduce((sum, [a = 0]) => sum + a / drawn.length, 0)
    expect(drawn.every((w) => Math.abs(w.reduce((sum, x) => sum + x, 0) - 1) < 1e-12)).toBe(true)
    expect(drawn[0]).not.toEqual(drawn[1])
    expect(mean).toBeCloseTo(1 / 3, 1)
  })

  it('draws the same later numbers whichever tasks were active before', () => {
    const all = run(rlw({ seed: 9 }), [
      [1, 1],
      [1, 1],
    ])
    const some = run(rlw({ seed: 9 }), [
      [1, undefined],
      [1, 1],
    ])
    expect(some[0]!.coefficients).toEqual([1, 0])
    expect(some[1]).toEqual(all[1])
  })
})

describe('DWA', () => {
  it('weighs the task whose loss falls slower more, once two periods are over', () => {
    const balancer = dwa(dwaOptions.parse({ form: 'period', periodSteps: 2 }))
    const steps = [
      [1, 1],
      [1, 1],
      [0.5, 1],
      [0.5, 1],
      [0.5, 1],
    ]
    const weights = run(balancer, steps).map((step) => step.coefficients)
    expect(weights.slice(0, 4)).toEqual(repeated(4, [1, 1]))
    const slow = Math.exp(1 / 2)
    const fast = Math.exp(0.5 / 2)
    expect(weights[4]![0]).toBeCloseTo((2 * fast) / (slow + fast), 12)
  })

  it('keeps the means of a task that had no label in a period', () => {
    const balancer = dwa(dwaOptions.parse({ form: 'period', periodSteps: 1 }))
    const after = run(balancer, [
      [1, 2],
      [0.5, 1],
      [0.5, undefined],
      [0.5, 1],
    ])
    expect(after[2]!.state.newer).toEqual([0.5, 1])
    expect(after[2]!.coefficients[1]).toBe(0)
    // The second task still halves from 2 to 1; the first stands still.
    expect(after[3]!.coefficients[0]).toBeGreaterThan(after[3]!.coefficients[1]!)
  })

  it('slides its window over the labelled steps of each task', () => {
    const balancer = dwa(dwaOptions.parse({ window: 2 }))
    const gap = run(balancer, [...repeated(4, [4, 4]), [2, undefined], [2, 4], [2, 4]])
    expect(gap[4]!.state.history!.slice(4)).toEqual(repeated(4, 4))
    expect(gap[5]!.coefficients[0]).toBeLessThan(0.5)
  })
})

describe('STCH', () => {
  it('averages the nadir over the last warm-up steps only, when told so', () => {
    const balancer = stch(stchOptions.parse({ warmupSteps: 3, nadirSteps: 2 }))
    const { state } = run(balancer, [[9], [1], [3], [1]]).at(-1)!
    expect(state.nadirSums![0]! / state.nadirCounts![0]!).toBe(2)
  })

  it('gives all the weight to the task that is worst against its own nadir as mu goes to 0', () => {
    const balancer = stch(stchOptions.parse({ mu: 0.001, warmupSteps: 1 }))
    const [, last] = run(balancer, [
      [1, 10],
      [0.9, 5],
    ])
    expect(last!.coefficients[1]).toBeCloseTo(0, 12)
    expect(last!.coefficients[0]).toBeCloseTo(2 / 0.9, 12)
  })

  it('takes the first later loss as nadir of a task that had no label in the warm-up', () => {
    const balancer = stch(stchOptions.parse({ warmupSteps: 1 }))
    const [, , last] = run(balancer, [
      [1, undefined],
      [1, 4],
      [1, 2],
    ])
    expect(last!.state.nadirSums).toEqual([1, 4])
  })
})

describe('FAMO', () => {
  it('moves weight to the task whose loss the step improved less', () => {
    const balancer = famo(famoOptions.parse({}))
    const [{ coefficients, state } = { coefficients: [], state: {} }] = run(balancer, [[1, 1]])
    expect(coefficients).toEqual([0.5, 0.5])
    const after = balancer.afterStep?.(Float64Array.of(0.5, 0.99), state) ?? state
    const seen = {
      losses: Float64Array.of(1, 1),
      active: Uint8Array.of(1, 1),
      gram: new Float64Array(4),
    }
    const [first = 0, second = 0] = balancer.coefficients({ ...seen, step: 1 }, after).coefficients
    expect(second).toBeGreaterThan(first)
    expect(first + second).toBeCloseTo(1, 12)
  })

  it('leaves the logit of a task without labels where it was', () => {
    const balancer = famo(famoOptions.parse({}))
    const [only] = run(balancer, [[1, undefined, 2]])
    const after = balancer.afterStep?.(Float64Array.of(0.5, 0, 1.9), only!.state)
    expect(after!.learned![1]).toBe(0)
    expect(after!.learned![0]).not.toBe(0)
  })
})

describe('GradNorm', () => {
  it('brings gradient norms of tasks that train alike together', () => {
    const balancer = gradnorm(gradnormOptions.parse({ learningRate: 0.02 }))
    const last = run(balancer, repeated(2000, [1, 1]), [1, 4]).at(-1)!
    expect(last.coefficients[0]! / last.coefficients[1]!).toBeCloseTo(4, 0)
  })

  it('takes the first loss of each task as its reference and follows it slowly', () => {
    const balancer = gradnorm(gradnormOptions.parse({ referenceDecay: 0.9 }))
    const [first, second] = run(balancer, [
      [2, undefined],
      [1, 3],
    ])
    expect(first!.state.reference).toEqual([2, 0])
    expect(second!.state.reference![0]).toBeCloseTo(1.9, 12)
    expect(second!.state.reference![1]).toBe(3)
  })
})

describe('bounds', () => {
  it('clamp active tasks only, then clip the norm of what is combined', () => {
    const balancer = bounded(equal({}), { minimum: 2, maximum: 20, maxNorm: 1 })
    const [only] = run(balancer, [[1, 1, undefined]], [3, 4, 5])
    expect(balancer.needs).toBe('gram')
    expect(only!.coefficients[2]).toBe(0)
    expect(Math.hypot(3 * only!.coefficients[0]!, 4 * only!.coefficients[1]!)).toBeCloseTo(1, 6)
  })

  it('pass on what a method learns after the step', () => {
    expect(bounded(famo(famoOptions.parse({})), { maxNorm: 0 }).afterStep).toBeDefined()
    expect(bounded(equal({}), { maxNorm: 0 }).afterStep).toBeUndefined()
  })
})

describe('a state from elsewhere', () => {
  it('is refused by name when it does not fit the tasks', () => {
    const balancer = uncertainty(uncertaintyOptions.parse({}))
    const seen = {
      losses: new Float64Array(2),
      active: Uint8Array.of(1, 1),
      gram: new Float64Array(4),
    }
    expect(() => balancer.coefficients({ ...seen, step: 0 }, balancer.init(3))).toThrow(/'learned'/)
  })
})
