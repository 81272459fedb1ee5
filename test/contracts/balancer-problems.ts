/** @file Random balancing problems for the contract: task gradients that agree, conflict or differ in size, and their losses. */

import fc from 'fast-check'
import { randomFrom } from '../../src/random.ts'

/** P of every problem: more than any T, so that gradients are independent almost surely. */
export const LENGTH = 12

/** The gradients and losses of one step. */
export interface Problem {
  readonly tasks: number
  readonly grads: Float64Array
  readonly losses: Float64Array
}

/** Gradients that agree, conflict or differ in size, and losses of cross-entropy's order; `plain` ones are independent. */
export function problems(least: number, most: number, kind?: 'plain'): fc.Arbitrary<Problem> {
  const kinds = kind === undefined ? ['plain', 'conflict', 'scaled', 'aligned'] : [kind]
  return fc
    .record({
      tasks: fc.integer({ min: least, max: Math.max(least, most) }),
      kind: fc.constantFrom(...kinds),
      seed: fc.nat(),
    })
    .map(({ tasks, kind: shape, seed }) => {
      const random = randomFrom(seed)
      const shared = Float64Array.from({ length: LENGTH }, () => random.normal())
      const bias = shape === 'aligned' ? 1 : shape === 'conflict' ? -1 : 0
      const grads = new Float64Array(tasks * LENGTH)
      for (let i = 0; i < tasks; i++) {
        const size = shape === 'scaled' ? 10 ** (2 * random.uniform() - 1) : 1
        for (let p = 0; p < LENGTH; p++) {
          grads[i * LENGTH + p] = size * (random.normal() + bias ** (i + 2) * shared[p]!)
        }
      }
      const losses = Float64Array.from({ length: tasks }, () => 0.1 + 1.5 * random.uniform())
      return { tasks, grads, losses }
    })
}

/** The problem with one task's gradient and loss multiplied. */
export function scaled(problem: Problem, task: number, gradient: number, loss: number): Problem {
  return {
    ...problem,
    grads: problem.grads.map((g, at) => (Math.floor(at / LENGTH) === task ? g * gradient : g)),
    losses: problem.losses.map((value, i) => (i === task ? value * loss : value)),
  }
}

/** The first `last` tasks alone. */
export function without(problem: Problem, last: number): Problem {
  return {
    tasks: last,
    grads: problem.grads.slice(0, last * LENGTH),
    losses: problem.losses.slice(0, last),
  }
}

/** Task `permutation[i]` at place i. */
export function reordered(problem: Problem, permutation: readonly number[]): Problem {
  const rows = permutation.flatMap((task) => [
    ...problem.grads.subarray(task * LENGTH, (task + 1) * LENGTH),
  ])
  return {
    tasks: problem.tasks,
    grads: Float64Array.from(rows),
    losses: Float64Array.from(permutation, (task) => problem.losses[task]!),
  }
}

/** A permutation of `tasks` places. */
export function shuffled(tasks: number, seed: number): number[] {
  const random = randomFrom(seed)
  const keys = Array.from({ length: tasks }, () => random.uniform())
  return keys.map((_, i) => i).sort((a, b) => keys[a]! - keys[b]!)
}
