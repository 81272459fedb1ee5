/** @file GradVac (Wang et al. 2021, Algorithm 1): like PCGrad, but lifts each cosine to its own running mean instead of to zero. */

import { z } from 'zod'
import { activeIndices, NORM_FLOOR } from './active-tasks.ts'
import type { Balancer, TaskGradients } from './balancer.ts'
import { filled, numbersOf } from './balancer-state.ts'
import { combinedNorm } from './gram.ts'
import { initRandom, randomOf, shuffledPartners, type VisitingOrder } from './visiting-order.ts'

/** `beta` is the step of the running cosines; `update` says after which pairs they move (public codes differ). */
export const gradvacOptions = z.object({
  beta: z.number().min(0).max(1).default(0.5),
  update: z.enum(['always', 'corrected']).default('always'),
  seed: z.int().nonnegative().default(1),
})

type GradvacOptions = z.output<typeof gradvacOptions>

const EPSILON = 1e-8

/**
 * For every i and j in order, c = cos(g_i', g_j) with the current g_i' and the original g_j; if c < rho_ij, g_j is added until
 * the cosine is rho_ij; then rho_ij <- (1 - beta) rho_ij + beta c. The result is sum_i g_i'. Granularity is the whole vector;
 * `perSegment` gives the per-tensor form. On coefficients, as in PCGrad.
 */
export function gradvac(
  options: GradvacOptions,
  order: VisitingOrder = shuffledPartners,
): Balancer {
  return {
    name: 'gradvac',
    needs: 'gram',
    init: (tasks) => ({ ...initRandom(options.seed), rho: filled(tasks * tasks, 0) }),
    coefficients: (gradients, state) => {
      const tasks = gradients.active.length
      const random = randomOf(state)
      const rho = [...numbersOf(state, 'rho', tasks * tasks)]
      const partners = order(tasks, random)
      const sum = new Float64Array(tasks)
      for (const i of activeIndices(gradients.active)) {
        const aligned = align(gradients, i, partners[i] ?? [], rho, options)
        for (let k = 0; k < tasks; k++) sum[k]! += aligned[k]!
      }
      return { coefficients: sum, state: { random: [...random.state()], rho } }
    },
  }
}

/** g_i' as coefficients; moves row i of `rho`. A partner without gradient has no direction and is passed over. */
function align(
  gradients: TaskGradients,
  i: number,
  partners: readonly number[],
  rho: number[],
  options: GradvacOptions,
): Float64Array {
  const { active, gram } = gradients
  const tasks = active.length
  const a = new Float64Array(tasks)
  a[i] = 1
  for (const j of partners) {
    const norm = Math.sqrt(gram[j * tasks + j]!)
    const own = combinedNorm(gram, a)
    if (active[j] !== 1 || norm <= NORM_FLOOR || own <= NORM_FLOOR) continue
    const target = rho[i * tasks + j]!
    const c = cosine(gram, a, j, own * norm)
    const lifts = c < target
    if (lifts) a[j]! += lift(own, norm, c, target)
    if (lifts || options.update === 'always') {
      rho[i * tasks + j] = (1 - options.beta) * target + options.beta * c
    }
  }
  return a
}

function cosine(gram: Float64Array, a: Float64Array, j: number, norms: number): number {
  let product = 0
  for (let k = 0; k < a.length; k++) product += gram[j * a.length + k]! * a[k]!
  return Math.max(-1, Math.min(1, product / (norms + EPSILON)))
}

/** The multiple of g_j that brings the cosine from c to rho. */
function lift(own: number, norm: number, c: number, rho: number): number {
  const sine = Math.sqrt(1 - rho * rho)
  return (own * (rho * Math.sqrt(1 - c * c) - c * sine)) / (norm * sine + EPSILON)
}
