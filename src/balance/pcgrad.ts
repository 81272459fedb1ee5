/** @file PCGrad (Yu et al. 2020, Algorithm 1): projects each gradient off those it conflicts with, one by one in random order. */

import { z } from 'zod'
import { activeIndices } from './active-tasks.ts'
import type { Balancer, TaskGradients } from './balancer.ts'
import { initRandom, randomOf, shuffledPartners, type VisitingOrder } from './visiting-order.ts'

/** `epsilon` guards the division by ||g_j||²; `seed` is that of the visiting order. */
export const pcgradOptions = z.object({
  epsilon: z.number().nonnegative().default(1e-8),
  seed: z.int().nonnegative().default(1),
})

/**
 * For every i: g_i' = g_i, then for j in order, if <g_i', g_j> < 0: g_i' -= <g_i', g_j> / (||g_j||² + epsilon) g_j with the
 * original g_j; the result is sum_i g_i'. Carried out on coefficients: <g_i', g_j> = (M a)_j when g_i' = sum_k a_k g_k.
 */
export function pcgrad(
  options: z.output<typeof pcgradOptions>,
  order: VisitingOrder = shuffledPartners,
): Balancer {
  return {
    name: 'pcgrad',
    needs: 'gram',
    init: () => initRandom(options.seed),
    coefficients: (gradients, state) => {
      const tasks = gradients.active.length
      const random = randomOf(state)
      const partners = order(tasks, random)
      const sum = new Float64Array(tasks)
      for (const i of activeIndices(gradients.active)) {
        const projected = project(gradients, i, partners[i] ?? [], options.epsilon)
        for (let k = 0; k < tasks; k++) sum[k]! += projected[k]!
      }
      return { coefficients: sum, state: { random: [...random.state()] } }
    },
  }
}

function project(
  { gram, active }: TaskGradients,
  i: number,
  partners: readonly number[],
  epsilon: number,
): Float64Array {
  const tasks = active.length
  const a = new Float64Array(tasks)
  a[i] = 1
  for (const j of partners) {
    if (active[j] !== 1) continue
    let product = 0
    for (let k = 0; k < tasks; k++) product += gram[j * tasks + k]! * a[k]!
    if (product < 0) a[j]! -= product / (gram[j * tasks + j]! + epsilon)
  }
  return a
}
