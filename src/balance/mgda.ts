/** @file MGDA (Desideri 2012; Sener & Koltun 2018, eq. 3): the shortest vector in the gradients' convex hull; it favours small ones. */

import { z } from 'zod'
import { activeTasks, normsOf, type PackedTasks, spread } from './active-tasks.ts'
import type { Balancer } from './balancer.ts'
import { LOSS_FLOOR } from './loss-floor.ts'
import { minimiseOnSimplex } from './simplex-quadratic.ts'

/** What each gradient is divided by first: nothing, its norm, its loss, or loss times norm. */
export const mgdaOptions = z.object({
  normalization: z.enum(['none', 'l2', 'loss', 'loss+']).default('l2'),
})

type MgdaOptions = z.output<typeof mgdaOptions>

/**
 * a = argmin || sum_i a_i g_i / n_i || on the simplex, exactly (not the reference's clipped or early-stopped search);
 * coefficients a_i / n_i, that is, the normalised gradients are combined. A task with zero gradient takes all the weight: the
 * point is Pareto stationary.
 */
export function mgda(options: MgdaOptions): Balancer {
  return {
    name: 'mgda',
    needs: 'gram',
    init: () => ({}),
    coefficients: (gradients, state) => {
      const packed = activeTasks(gradients)
      const { count, gram, indices } = packed
      if (count === 0) return { coefficients: new Float64Array(gradients.active.length), state }
      const n = normalizers(packed, options)
      const normalised = gram.map((m, at) => m / (n[Math.floor(at / count)]! * n[at % count]!))
      const simplex = minimiseOnSimplex(normalised, new Float64Array(count))
      const coefficients = simplex.map((share, i) => share / n[i]!)
      return { coefficients: spread(coefficients, indices, gradients.active.length), state }
    },
  }
}

function normalizers(
  { count, gram, losses }: PackedTasks,
  { normalization }: MgdaOptions,
): Float64Array {
  const norms = normsOf(gram, count)
  const floored = losses.map((loss) => Math.max(loss, LOSS_FLOOR))
  switch (normalization) {
    case 'none':
      return new Float64Array(count).fill(1)
    case 'l2':
      return norms
    case 'loss':
      return floored
    case 'loss+':
      return floored.map((loss, i) => loss * norms[i]!)
    default:
      return normalization satisfies never
  }
}
