/** @file FairGrad (Ban & Ji 2024): alpha-fair progress, M w = w^(-1/alpha); small alpha nears the sum, large nears max-min. */

import { z } from 'zod'
import { movingTasks, normsOf, spread } from './active-tasks.ts'
import type { Balancer } from './balancer.ts'
import { clippedToNorm } from './coefficient-bounds.ts'
import { solvePowerEquation } from './power-equation.ts'

/** `timesTasks` and `maxNorm` (0 = none) are what the official code does to the result and LibMTL does not. */
export const fairgradOptions = z.object({
  alpha: z.number().positive().default(1),
  timesTasks: z.boolean().default(false),
  maxNorm: z.number().nonnegative().default(0),
})

/** w > 0 with (M w)_i = w_i^(-1/alpha) for the raw Gram matrix, to machine precision. Tasks without gradient are left out. */
export function fairgrad(options: z.output<typeof fairgradOptions>): Balancer {
  const q = 1 / options.alpha
  return {
    name: 'fairgrad',
    needs: 'gram',
    init: () => ({}),
    coefficients: (gradients, state) => {
      const { count, gram, indices } = movingTasks(gradients)
      const norms = normsOf(gram, count)
      const cosines = gram.map((m, at) => m / (norms[Math.floor(at / count)]! * norms[at % count]!))
      // With b_i = ||g_i|| w_i, unit gradients remain and the norms move to the right: C b = ||g||^(q-1) ∘ b^(-q).
      const b = solvePowerEquation(
        cosines,
        norms.map((norm) => norm ** (q - 1)),
        q,
      )
      const times = options.timesTasks ? count : 1
      const weights = b.map((value, i) => (times * value) / norms[i]!)
      const coefficients = spread(weights, indices, gradients.active.length)
      return { coefficients: clippedToNorm(coefficients, gradients.gram, options.maxNorm), state }
    },
  }
}
