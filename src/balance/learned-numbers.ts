/** @file Numbers a balancer learns by gradient descent (log variances, scales, logits): they and their optimizer are state. */

import { z } from 'zod'
import type { BalancerState } from './balancer.ts'
import { filled, numbersOf, replaced } from './balancer-state.ts'

/** How such numbers are stepped. `adam` is what the references' model optimizer is; `sgd` has no memory. */
export interface DescentOptions {
  readonly optimizer: 'adam' | 'sgd'
  readonly learningRate: number
  /** Coupled L2 decay: added to the gradient. */
  readonly weightDecay?: number
}

/** The job options of a method with learned numbers. */
export function descentShape(learningRate: number): {
  optimizer: z.ZodDefault<z.ZodEnum<{ adam: 'adam'; sgd: 'sgd' }>>
  learningRate: z.ZodDefault<z.ZodNumber>
} {
  return {
    optimizer: z.enum(['adam', 'sgd']).default('adam'),
    learningRate: z.number().positive().default(learningRate),
  }
}

/** One learned number per task, all at `value`. */
export function initLearned(tasks: number, value: number): BalancerState {
  return {
    learned: filled(tasks, value),
    firstMoment: filled(tasks, 0),
    secondMoment: filled(tasks, 0),
    updates: filled(tasks, 0),
  }
}

/** The learned numbers of the tasks at `indices`. */
export function learnedOf(
  state: BalancerState,
  tasks: number,
  indices: readonly number[],
): Float64Array {
  const learned = numbersOf(state, 'learned', tasks)
  return Float64Array.from(indices, (task) => learned[task]!)
}

/**
 * One descent step on the learned numbers at `indices`, with `gradient` in their order; the others and their moments are kept.
 * Adam (Kingma & Ba, Algorithm 1) with betas .9/.999, epsilon 1e-8 and a bias correction that counts each task's own updates.
 */
export function descended(
  state: BalancerState,
  tasks: number,
  indices: readonly number[],
  gradient: Float64Array,
  options: DescentOptions,
): BalancerState {
  const { optimizer, learningRate, weightDecay = 0 } = options
  const at = (key: string): Float64Array => {
    const numbers = numbersOf(state, key, tasks)
    return Float64Array.from(indices, (task) => numbers[task]!)
  }
  const learned = at('learned')
  const m = at('firstMoment')
  const v = at('secondMoment')
  const updates = at('updates')
  for (let i = 0; i < indices.length; i++) {
    const slope = gradient[i]! + weightDecay * learned[i]!
    if (optimizer === 'sgd') {
      learned[i]! -= learningRate * slope
      continue
    }
    updates[i]! += 1
    m[i] = 0.9 * m[i]! + 0.1 * slope
    v[i] = 0.999 * v[i]! + 0.001 * slope * slope
    const mean = m[i]! / (1 - 0.9 ** updates[i]!)
    const spread = Math.sqrt(v[i]! / (1 - 0.999 ** updates[i]!))
    learned[i]! -= (learningRate * mean) / (spread + 1e-8)
  }
  const put = (key: string, values: Float64Array): number[] =>
    replaced(numbersOf(state, key, tasks), indices, values)
  return {
    ...state,
    learned: put('learned', learned),
    firstMoment: put('firstMoment', m),
    secondMoment: put('secondMoment', v),
    updates: put('updates', updates),
  }
}
