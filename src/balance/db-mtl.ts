/** @file DB-MTL (Lin et al. 2023, Algorithm 1): running gradients of log losses, all raised to the largest norm, then summed. */

import { z } from 'zod'
import { activeIndices } from './active-tasks.ts'
import { filled, numbersOf } from './balancer-state.ts'
import type { TaskVectors, VectorBalancer } from './vector-balancer.ts'

/** `beta` / step^`sigma` is the weight of the past; sigma 0 is LibMTL's default: no decay of it. */
export const dbMtlOptions = z.object({
  beta: z.number().min(0).lt(1).default(0.9),
  sigma: z.number().nonnegative().default(0),
})

const EPSILON = 1e-8

/**
 * h_i = g_i / (L_i + 1e-8); buffer_i <- h_i + (beta / step^sigma) (buffer_i - h_i), from 0 without bias correction; result
 * sum_i (max_j ||buffer_j|| / (||buffer_i|| + 1e-8)) buffer_i over the active tasks. The buffers of past directions are no
 * combination of the present gradients, so this method needs vectors, at the parameters: T P numbers of state.
 */
export function dbMtl(options: z.output<typeof dbMtlOptions>): VectorBalancer {
  return {
    name: 'db-mtl',
    needs: 'gradients',
    init: (tasks, length) => ({ buffer: filled(tasks * length, 0) }),
    combine: (vectors, state) => {
      const { active, gradients } = vectors
      const tasks = active.length
      const length = gradients.length / tasks
      const buffer = numbersOf(state, 'buffer', gradients.length).slice()
      const indices = activeIndices(active)
      const past = options.beta / (vectors.step + 1) ** options.sigma
      for (const i of indices) follow(buffer, vectors, i, past)
      const norms = indices.map((i) => normOf(buffer, i * length, length))
      const largest = norms.reduce((most, norm) => Math.max(most, norm), 0)
      const gradient = new Float64Array(length)
      indices.forEach((i, k) => {
        const scale = largest / (norms[k]! + EPSILON)
        for (let p = 0; p < length; p++) gradient[p]! += scale * buffer[i * length + p]!
      })
      return { gradient, state: { buffer } }
    },
  }
}

/** Moves row i of the buffer towards the task's log-loss gradient. */
function follow(
  buffer: number[],
  { gradients, losses, active }: TaskVectors,
  i: number,
  past: number,
): void {
  const length = gradients.length / active.length
  const loss = losses[i]! + EPSILON
  for (let at = i * length; at < (i + 1) * length; at++) {
    const h = gradients[at]! / loss
    buffer[at] = h + past * (buffer[at]! - h)
  }
}

function normOf(values: readonly number[], from: number, length: number): number {
  let square = 0
  for (let at = from; at < from + length; at++) square += values[at]! * values[at]!
  return Math.sqrt(square)
}
