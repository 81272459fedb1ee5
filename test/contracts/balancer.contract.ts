/** @file What every balancing method must keep, run over the list: order of tasks, one task, zeros, scale, state, absent tasks. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BalancerState } from '../../src/balance/balancer.ts'
import { type AnyBalancer, balancerFrom } from '../../src/balance/balancers.ts'
import { combined, gramOf } from '../../src/balance/gram.ts'
import {
  LENGTH,
  type Problem,
  problems,
  reordered,
  scaled,
  shuffled,
  without,
} from './balancer-problems.ts'

/** What a method claims; the suite fails when it does less and, for `invariant`, when it does more. */
export interface BalancerLaw {
  /** The job's `balance` section. */
  readonly settings: Readonly<Record<string, unknown>>
  /** A single task's combined gradient is its own, or only points the same way. */
  readonly single: 'own' | 'direction'
  /** (k L, k G) gives k^degree times the combined gradient of (L, G), from the first state. */
  readonly degree: number
  /** Whether scaling one task's loss and gradient leaves the direction of the combined gradient. */
  readonly invariant: boolean
  /** Up to how many tasks their order does not matter: methods that draw an order or weights per task depend on it. */
  readonly orderFreeUpTo: number
  /** The settings when task `permutation[i]` takes place i: a target task moves along. */
  readonly permuted?: (permutation: readonly number[]) => Readonly<Record<string, unknown>>
  /** Whether an absent task changes what the others get: only for a method that draws weights, by the drawn numbers. */
  readonly dropsExactly: boolean
}

interface Outcome {
  readonly gradient: Float64Array
  /** Undefined for a method that combines vectors. */
  readonly coefficients: Float64Array | undefined
  readonly state: BalancerState
}

const RUNS = { seed: 20240731, numRuns: 25 }

/** The suite for one method. */
export function balancerContract(kind: string, law: BalancerLaw): void {
  const balancer = balancerFrom(law.settings)

  describe(kind, () => {
    if (law.orderFreeUpTo > 1) {
      it('gives the same result whatever the order of the tasks', () => {
        fc.assert(
          fc.property(problems(2, Math.min(law.orderFreeUpTo, 6)), fc.nat(), (problem, seed) => {
            const permutation = shuffled(problem.tasks, seed)
            const moved = balancerFrom(law.permuted?.(permutation) ?? law.settings)
            expectClose(
              first(moved, reordered(problem, permutation)).gradient,
              first(balancer, problem).gradient,
            )
          }),
          RUNS,
        )
      })
    }

    it(`returns ${law.single === 'own' ? '' : 'the direction of '}a single task's own gradient`, () => {
      fc.assert(
        fc.property(problems(1, 1), (problem) => {
          const { gradient } = first(balancer, problem)
          expectClose(
            law.single === 'own' ? gradient : unit(gradient),
            law.single === 'own' ? problem.grads : unit(problem.grads),
          )
        }),
        RUNS,
      )
    })

    it('stays finite when one gradient is zero, and when all are', () => {
      fc.assert(
        fc.property(problems(1, 6), fc.nat(5), (problem, at) => {
          const one = scaled(problem, at % problem.tasks, 0, 1)
          const all = { ...problem, grads: new Float64Array(problem.grads.length) }
          for (const given of [one, all]) expectFinite(run(balancer, [given, given, problem]))
        }),
        RUNS,
      )
    })

    it(`scales as k^${law.degree.toFixed(2)} with all losses and gradients`, () => {
      fc.assert(
        fc.property(problems(1, 6), fc.double({ min: 0.3, max: 4, noNaN: true }), (problem, k) => {
          const larger = {
            ...problem,
            grads: problem.grads.map((g) => g * k),
            losses: problem.losses.map((loss) => loss * k),
          }
          const base = first(balancer, problem).gradient.map((g) => g * k ** law.degree)
          expectClose(first(balancer, larger).gradient, base, 1e-5)
        }),
        RUNS,
      )
    })

    it(`${law.invariant ? 'keeps' : 'changes'} its direction when one task is scaled`, () => {
      fc.assert(
        fc.property(problems(3, 3, 'plain'), (problem) => {
          const before = unit(first(balancer, problem).gradient)
          const after = unit(first(balancer, scaled(problem, 1, 3, 3)).gradient)
          const change = Math.hypot(...before.map((value, p) => value - after[p]!))
          if (law.invariant) expect(change).toBeLessThan(1e-5)
          else expect(change).toBeGreaterThan(1e-5)
        }),
        { ...RUNS, numRuns: 20 },
      )
    })

    it('leaves its inputs as they were', () => {
      fc.assert(
        fc.property(problems(1, 6), (problem) => {
          const before = JSON.stringify([[...problem.grads], [...problem.losses]])
          const state = frozen(initial(balancer, problem.tasks))
          const kept = JSON.stringify(state)
          step(balancer, problem, state, ones(problem.tasks), 0)
          expect(JSON.stringify([[...problem.grads], [...problem.losses]])).toBe(before)
          expect(JSON.stringify(state)).toBe(kept)
        }),
        RUNS,
      )
    })

    it('has the same future after a snapshot in the middle of a run', () => {
      fc.assert(
        fc.property(problems(1, 6), fc.integer({ min: 0, max: 7 }), (problem, cut) => {
          const drifting = Array.from({ length: 8 }, (_, n) => scaled(problem, 0, 1 + n, 1 + n))
          const whole = run(balancer, drifting)
          const head = run(balancer, drifting.slice(0, cut))
          const snapshot: BalancerState = JSON.parse(
            JSON.stringify(head.at(-1)?.state ?? initial(balancer, problem.tasks)),
          )
          const tail = run(balancer, drifting.slice(cut), snapshot, cut)
          expect(JSON.stringify(tail.map(plain))).toBe(JSON.stringify(whole.slice(cut).map(plain)))
        }),
        RUNS,
      )
    })

    it('gives an absent task coefficient 0, keeps its state, and solves for the others alone', () => {
      fc.assert(
        fc.property(problems(3, 3), (problem) => {
          const warm = run(balancer, [problem, scaled(problem, 0, 2, 2)]).at(-1)!
          const absent = Uint8Array.of(1, 1, 0)
          const hidden = {
            ...problem,
            losses: Float64Array.of(...problem.losses.subarray(0, 2), 0),
          }
          const after = step(balancer, hidden, warm.state, absent, 2)
          expectFinite([after])
          expect(after.coefficients?.[2] ?? 0).toBe(0)
          expect(stateOf(after.state, 2)).toEqual(stateOf(warm.state, 2))
          if (law.dropsExactly) {
            const alone = first(balancer, without(problem, 2)).gradient
            const fresh = step(balancer, hidden, initial(balancer, 3), absent, 0).gradient
            expectClose(fresh, alone)
          }
        }),
        RUNS,
      )
    })

    it('gives nothing when no task has a label', () => {
      fc.assert(
        fc.property(problems(1, 6), (problem) => {
          const none = new Uint8Array(problem.tasks)
          const before = run(balancer, [problem]).at(-1)!.state
          const outcome = step(balancer, problem, before, none, 1)
          expect([...outcome.gradient].every((g) => g === 0)).toBe(true)
          expectFinite([outcome])
        }),
        RUNS,
      )
    })
  })
}

function initial(balancer: AnyBalancer, tasks: number): BalancerState {
  return balancer.needs === 'gradients' ? balancer.init(tasks, LENGTH) : balancer.init(tasks)
}

function first(balancer: AnyBalancer, problem: Problem): Outcome {
  return step(balancer, problem, initial(balancer, problem.tasks), ones(problem.tasks), 0)
}

function step(
  balancer: AnyBalancer,
  { tasks, grads, losses }: Problem,
  state: BalancerState,
  active: Uint8Array,
  at: number,
): Outcome {
  const seen = { losses, active, step: at }
  if (balancer.needs === 'gradients') {
    const { gradient, state: next } = balancer.combine({ ...seen, gradients: grads }, state)
    return { gradient, coefficients: undefined, state: next }
  }
  const gram =
    balancer.needs === 'gram' ? gramOf(grads, tasks, LENGTH) : new Float64Array(tasks ** 2)
  const balanced = balancer.coefficients({ ...seen, gram }, state)
  const after = balancer.afterStep?.(
    losses.map((loss, i) => loss * (0.9 - 0.1 * i)),
    balanced.state,
  )
  return {
    gradient: combined(balanced.coefficients, grads, LENGTH),
    coefficients: balanced.coefficients,
    state: after ?? balanced.state,
  }
}

function run(
  balancer: AnyBalancer,
  steps: readonly Problem[],
  from?: BalancerState,
  firstStep = 0,
): Outcome[] {
  const outcomes: Outcome[] = []
  let state = from
  steps.forEach((problem, n) => {
    const before = state ?? initial(balancer, problem.tasks)
    const outcome = step(balancer, problem, before, ones(problem.tasks), firstStep + n)
    outcomes.push(outcome)
    state = outcome.state
  })
  return outcomes
}

function ones(tasks: number): Uint8Array {
  return new Uint8Array(tasks).fill(1)
}

/**
 * The part of every state array that is row-major by task and belongs to `task`. Left out: what a step merely notes down, and
 * smoothed inner products, which fade as the others move on.
 */
function stateOf(state: BalancerState, task: number): Record<string, readonly number[]> {
  const parts: Record<string, readonly number[]> = {}
  for (const [key, numbers] of Object.entries(state)) {
    if (numbers.length % 3 !== 0 || ['activeBefore', 'smoothGram'].includes(key)) continue
    const width = numbers.length / 3
    parts[key] = numbers.slice(task * width, (task + 1) * width)
  }
  return parts
}

function frozen(state: BalancerState): BalancerState {
  for (const numbers of Object.values(state)) Object.freeze(numbers)
  return Object.freeze(state)
}

function unit(vector: Float64Array): Float64Array {
  const norm = Math.hypot(...vector)
  return vector.map((value) => value / norm)
}

function plain({ gradient, coefficients, state }: Outcome): unknown {
  return [[...gradient], [...(coefficients ?? [])], state]
}

function expectFinite(outcomes: readonly Outcome[]): void {
  for (const { gradient, coefficients, state } of outcomes) {
    const numbers = [...gradient, ...(coefficients ?? []), ...Object.values(state).flat()]
    expect(numbers.filter((value) => !Number.isFinite(value))).toEqual([])
  }
}

/** Equal to `tolerance` of the wanted vector's norm. */
function expectClose(got: Float64Array, want: Float64Array, tolerance = 1e-6): void {
  const difference = Math.hypot(...want.map((value, p) => value - (got[p] ?? Number.NaN)))
  expect(difference).toBeLessThanOrEqual(tolerance * Math.hypot(...want))
}
