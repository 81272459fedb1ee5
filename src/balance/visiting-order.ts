/** @file The order in which each task visits its partners (PCGrad, GradVac): shuffled by a generator that lives in the state. */

import { type Random, randomFrom } from '../random.ts'
import type { BalancerState } from './balancer.ts'
import { numbersOf } from './balancer-state.ts'

/** For every task, the tasks it meets, in order. */
export type VisitingOrder = (tasks: number, random: Random) => readonly (readonly number[])[]

/** A fresh uniform order of all other tasks for every task; draws the same numbers whatever tasks are active. */
export const shuffledPartners: VisitingOrder = (tasks, random) =>
  Array.from({ length: tasks }, (_, i) => {
    const partners = Array.from({ length: tasks }, (_, j) => j).filter((j) => j !== i)
    for (let last = partners.length - 1; last > 0; last--) {
      const other = random.integer(last + 1)
      const swapped = partners[last]!
      partners[last] = partners[other]!
      partners[other] = swapped
    }
    return partners
  })

/** The state of a generator seeded with `seed`, under the key `random`. */
export function initRandom(seed: number): BalancerState {
  return { random: [...randomFrom(seed).state()] }
}

/** The generator that the state holds. */
export function randomOf(state: BalancerState): Random {
  const [a = 0, b = 0, c = 0, d = 0] = numbersOf(state, 'random', 4)
  return randomFrom([a, b, c, d])
}
