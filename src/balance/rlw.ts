/** @file Random loss weighting (Lin et al. 2022): softmax of fresh normals each step; it looks at nothing at all. */

import { z } from 'zod'
import { activeIndices, spread } from './active-tasks.ts'
import type { Balancer } from './balancer.ts'
import { softmax } from './softmax.ts'
import { initRandom, randomOf } from './visiting-order.ts'

/** The seed of the draws. */
export const rlwOptions = z.object({ seed: z.int().nonnegative().default(1) })

/**
 * w = softmax(N(0,1)^T) over the active tasks, summing to 1. T normals are drawn at every step whichever tasks are active, so
 * that labels do not shift the later draws.
 */
export function rlw(options: z.output<typeof rlwOptions>): Balancer {
  return {
    name: 'rlw',
    needs: 'losses',
    init: () => initRandom(options.seed),
    coefficients: ({ active }, state) => {
      const tasks = active.length
      const random = randomOf(state)
      const draws = Float64Array.from({ length: tasks }, () => random.normal())
      const indices = activeIndices(active)
      const weights = softmax(indices.map((task) => draws[task]!))
      return {
        coefficients: spread(weights, indices, tasks),
        state: { random: [...random.state()] },
      }
    },
  }
}
