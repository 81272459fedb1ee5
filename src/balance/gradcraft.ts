/** @file GradCraft (Bai et al. 2024): norms pulled together, then all conflicts of a task solved at once. */

import { z } from 'zod'
import { activeTasks, NORM_FLOOR, spread } from './active-tasks.ts'
import type { Balancer } from './balancer.ts'
import { filled, numbersOf, replaced } from './balancer-state.ts'
import { solveLinear } from './linear-solve.ts'

/** `tau` pulls norms to the largest, `epsilon` is the cosine left between solved gradients, `ema` the norms' decay (0 = none). */
export const gradcraftOptions = z.object({
  tau: z.number().min(0).max(1).default(1),
  epsilon: z.number().nonnegative().default(0),
  ema: z.number().min(0).lt(1).default(0),
})

/**
 * ghat_i = (tau max_j m_j / m_i + 1 - tau) g_i; for every i, with G the rows ghat_k that conflict with ghat_i and
 * z_k = epsilon ||ghat_i|| ||ghat_k||: g_i' = ghat_i + Gᵀ (G Gᵀ)^-1 (z - G ghat_i); the result is the mean of g_i'. Every inner
 * product is an entry of the scaled Gram matrix. A task without gradient is neither scaled nor in conflict.
 */
export function gradcraft(options: z.output<typeof gradcraftOptions>): Balancer {
  return {
    name: 'gradcraft',
    needs: 'gram',
    init: (tasks) => ({ magnitudes: filled(tasks, 0) }),
    coefficients: (gradients, state) => {
      const tasks = gradients.active.length
      const { count, gram, indices } = activeTasks(gradients)
      const before = numbersOf(state, 'magnitudes', tasks)
      const magnitudes = Float64Array.from(indices, (task, i) => {
        const norm = Math.sqrt(gram[i * count + i]!)
        return options.ema * before[task]! + (1 - options.ema) * norm
      })
      const scales = scalesOf(magnitudes, options.tau)
      const hat = gram.map((m, at) => m * scales[Math.floor(at / count)]! * scales[at % count]!)
      const sums = new Float64Array(count)
      for (let i = 0; i < count; i++) craft(hat, count, i, options.epsilon, sums)
      const coefficients = sums.map((sum, i) => (sum * scales[i]!) / count)
      return {
        coefficients: spread(coefficients, indices, tasks),
        state: { magnitudes: replaced(before, indices, magnitudes) },
      }
    },
  }
}

function scalesOf(magnitudes: Float64Array, tau: number): Float64Array {
  const largest = magnitudes.reduce((most, m) => Math.max(most, m), 0)
  return magnitudes.map((m) => (m > NORM_FLOOR ? (tau * largest) / m + 1 - tau : 1))
}

/** Adds g_i' to `sums` as coefficients of the scaled gradients. */
function craft(
  hat: Float64Array,
  count: number,
  i: number,
  epsilon: number,
  sums: Float64Array,
): void {
  sums[i]! += 1
  const product = (k: number, j: number): number => hat[k * count + j]!
  const foes = Array.from({ length: count }, (_, k) => k).filter((k) => product(i, k) < 0)
  if (foes.length === 0) return
  const wanted = foes.map((k) => epsilon * Math.sqrt(product(i, i) * product(k, k)) - product(k, i))
  const weights = solveConflicts(foes, product, wanted)
  foes.forEach((k, at) => {
    sums[k]! += weights[at]!
  })
}

/** (G Gᵀ)^-1 right; foes that depend on each other get a ridge of 1e-10, relative to each one's own square. */
function solveConflicts(
  foes: readonly number[],
  product: (k: number, j: number) => number,
  right: readonly number[],
): Float64Array {
  const ridged = (ridge: number): Float64Array =>
    Float64Array.from(
      foes.flatMap((k) => foes.map((j) => product(k, j) * (k === j ? 1 + ridge : 1))),
    )
  return (
    solveLinear(ridged(0), right) ??
    solveLinear(ridged(1e-10), right) ??
    new Float64Array(foes.length)
  )
}
