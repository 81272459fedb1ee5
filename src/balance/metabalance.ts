/** @file MetaBalance (He et al. 2022, Algorithm 1): scales auxiliary gradients towards the target task's running norm; no directions. */

import { z } from 'zod'
import { activeIndices } from './active-tasks.ts'
import type { Balancer } from './balancer.ts'
import { filled, numbersOf } from './balancer-state.ts'

/** `relax` r mixes balanced and plain magnitudes; `beta` is the norms' decay; `target` the task's place in the job's list. */
export const metabalanceOptions = z.object({
  relax: z.number().min(0).max(1).default(0.7),
  beta: z.number().min(0).lt(1).default(0.9),
  target: z.int().nonnegative().default(0),
})

/**
 * m_i <- beta m_i + (1 - beta) ||g_i|| from 0 without bias correction (it cancels in the ratio), coefficient
 * r m_target / m_i + (1 - r); 1 for the target. The paper works per parameter tensor: run it through `perSegment`, or per
 * embedding row with `metabalanceRows`. Until both norms are known the coefficient is 1.
 */
export function metabalance(options: z.output<typeof metabalanceOptions>): Balancer {
  const { beta, relax, target } = options
  return {
    name: 'metabalance',
    needs: 'gram',
    init: (tasks) => ({ norms: filled(tasks, 0) }),
    coefficients: ({ active, gram }, state) => {
      const tasks = active.length
      const norms = [...numbersOf(state, 'norms', tasks)]
      const indices = activeIndices(active)
      // All norms move before any ratio is taken; the reference does the target first, to the same effect.
      for (const i of indices) {
        norms[i] = beta * norms[i]! + (1 - beta) * Math.sqrt(gram[i * tasks + i]!)
      }
      const coefficients = new Float64Array(tasks)
      for (const i of indices) {
        coefficients[i] = towardsTarget(norms[i]!, norms[target] ?? 0, relax)
      }
      return { coefficients, state: { norms } }
    },
  }
}

/** r m_target / m_i + (1 - r); 1 while either norm is unknown. */
export function towardsTarget(norm: number, targetNorm: number, relax: number): number {
  return norm > 0 && targetNorm > 0 ? (relax * targetNorm) / norm + 1 - relax : 1
}
