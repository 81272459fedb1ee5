/** @file Nash-MTL (Navon et al. 2022, Claim 3.1): the bargaining solution M a = 1/a; FairGrad with alpha = 1, invariant to task scale. */

import { z } from 'zod'
import { movingTasks, normsOf, spread } from './active-tasks.ts'
import type { Balancer } from './balancer.ts'
import { clippedToNorm } from './coefficient-bounds.ts'
import { solvePowerEquation } from './power-equation.ts'

/** The combined gradient, whose norm is sqrt(T), is clipped to `maxNorm` as in the official code; 0 leaves it. */
export const nashMtlOptions = z.object({ maxNorm: z.number().nonnegative().default(1) })

/**
 * a > 0 with a_i (M a)_i = 1 for the raw Gram matrix, to machine precision at every step: no previous weights are returned when a
 * solver fails. Tasks without gradient have no part in the bargain.
 */
export function nashMtl({ maxNorm }: z.output<typeof nashMtlOptions>): Balancer {
  return {
    name: 'nash-mtl',
    needs: 'gram',
    init: () => ({}),
    coefficients: (gradients, state) => {
      const { count, gram, indices } = movingTasks(gradients)
      const norms = normsOf(gram, count)
      // With b_i = ||g_i|| a_i the equation is that of unit gradients: C b = 1/b.
      const cosines = gram.map((m, at) => m / (norms[Math.floor(at / count)]! * norms[at % count]!))
      const b = solvePowerEquation(cosines, new Float64Array(count).fill(1), 1)
      const coefficients = spread(
        b.map((value, i) => value / norms[i]!),
        indices,
        gradients.active.length,
      )
      return { coefficients: clippedToNorm(coefficients, gradients.gram, maxNorm), state }
    },
  }
}
