/** @file Running a balancer over a golden file's steps: state carried when the file says so, gradient from the coefficients. */

import type { Balancer, BalancerState, TaskGradients } from '../../src/balance/balancer.ts'
import { combined, gramOf } from '../../src/balance/gram.ts'
import {
  type Actual,
  arrayIn,
  type Entries,
  expectAgreement,
  type GoldenCase,
  numberIn,
} from './golden-case.ts'

/** One step as the balancer saw it and answered it. */
export interface Ran {
  readonly entries: Entries
  readonly index: number
  readonly tasks: number
  readonly length: number
  readonly grads: Float64Array
  readonly seen: TaskGradients
  readonly coefficients: Float64Array
  readonly gradient: Float64Array
  readonly before: BalancerState
  readonly after: BalancerState
}

/** How a method's files are run and what they expect beyond coefficients and gradient. */
export interface StepPlan {
  /** The balancer for a step; the same one every time unless the step brings its own visiting order. */
  readonly make: (step: Entries) => Balancer
  readonly relative?: number
  /** What happens between this step's answer and the next step: a second loss evaluation, the rest of a period. */
  readonly settle?: (ran: Ran, balancer: Balancer) => BalancerState
  readonly extra?: (ran: Ran) => Actual
}

/** The closed-form tolerance of the README; exact solvers are given 1e-6. */
const CLOSED_FORM = 1e-9

/** Runs every step and compares everything that the file expects. */
export function runSteps(file: GoldenCase, plan: StepPlan): void {
  const tasks = numberIn(file.config, 'T')
  const length = numberIn(file.config, 'P')
  let state: BalancerState | undefined
  file.steps.forEach((entries, index) => {
    const balancer = plan.make(entries)
    const before = state ?? balancer.init(tasks)
    const grads = arrayIn(entries, 'grads')
    const seen = {
      losses: arrayIn(entries, 'losses'),
      gram: gramOf(grads, tasks, length),
      active: new Uint8Array(tasks).fill(1),
      step: index,
    }
    const { coefficients, state: answered } = balancer.coefficients(seen, before)
    const gradient = combined(coefficients, grads, length)
    const ran: Ran = {
      ...{ entries, index, tasks, length, grads, seen, coefficients, gradient, before },
      after: answered,
    }
    const after = plan.settle?.(ran, balancer) ?? answered
    const actual = { coefficients, gradient, ...plan.extra?.({ ...ran, after }) }
    const expected = entries.expected as Entries
    expectAgreement(actual, expected, plan.relative ?? CLOSED_FORM, `step ${index}`)
    state = file.stateful ? after : undefined
  })
}
