/** @file Running mean of the Gram matrix before a method solves on it (papers.md 5, streaming rules: decay .9 to .99). */

import { z } from 'zod'
import type { Balancer, BalancerState, TaskGradients } from './balancer.ts'
import { filled, numbersOf } from './balancer-state.ts'

/** `decay` d in M_smooth <- d M_smooth + (1 - d) M. */
export const smoothingOptions = z.strictObject({ decay: z.number().min(0).lt(1).default(0.95) })

/**
 * The same method on the bias-corrected running mean of M. With tasks that are not always active the mean is
 * S <- D S D + (1 - d) M, D_i = sqrt(d) for an active task and 1 otherwise: it is the usual one while all are active, keeps an
 * absent task's norm while its products with the others fade, and stays positive semi-definite, which a mean per pair would not.
 */
export function smoothed(inner: Balancer, { decay }: z.output<typeof smoothingOptions>): Balancer {
  return {
    ...inner,
    name: `${inner.name}, smoothed`,
    init: (tasks) => ({
      ...inner.init(tasks),
      smoothGram: filled(tasks * tasks, 0),
      smoothWeight: filled(tasks, 0),
    }),
    coefficients: (gradients, before) => {
      const memory = remembered(gradients, before, decay)
      const gram = corrected(memory.smoothGram, memory.smoothWeight)
      const { coefficients, state } = inner.coefficients({ ...gradients, gram }, before)
      return { coefficients, state: { ...before, ...state, ...memory } }
    },
  }
}

interface Memory {
  readonly smoothGram: readonly number[]
  readonly smoothWeight: readonly number[]
}

function remembered({ gram, active }: TaskGradients, state: BalancerState, decay: number): Memory {
  const tasks = active.length
  const kept = Array.from(active, (on) => (on === 1 ? Math.sqrt(decay) : 1))
  const smoothGram = numbersOf(state, 'smoothGram', tasks * tasks).map((s, at) => {
    const i = Math.floor(at / tasks)
    const j = at % tasks
    const seen = active[i] === 1 && active[j] === 1
    return kept[i]! * kept[j]! * s + (seen ? (1 - decay) * gram[at]! : 0)
  })
  const smoothWeight = numbersOf(state, 'smoothWeight', tasks).map((weight, i) =>
    active[i] === 1 ? decay * weight + 1 - decay : weight,
  )
  return { smoothGram, smoothWeight }
}

/** S_ij / sqrt(u_i u_j), u the weight that a task's mean has gathered: the first M comes out as itself. */
function corrected(gram: readonly number[], weight: readonly number[]): Float64Array {
  const tasks = weight.length
  return Float64Array.from(gram, (s, at) => {
    const u = weight[Math.floor(at / tasks)]! * weight[at % tasks]!
    return u > 0 ? s / Math.sqrt(u) : 0
  })
}
