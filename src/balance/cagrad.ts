/** @file CAGrad (Liu et al. 2021, Algorithm 1): best worst-task progress inside a ball around the mean gradient. */

import { z } from 'zod'
import { activeTasks, spread } from './active-tasks.ts'
import type { Balancer } from './balancer.ts'
import { combinedNorm, dot, gramTimes } from './gram.ts'
import { minimiseOnSimplex } from './simplex-quadratic.ts'

/** `c` is the ball's radius over ||g0||; `rescale` divides by 1, 1 + c² or 1 + c (as numbered in the reference). */
export const cagradOptions = z.object({
  c: z.number().nonnegative().default(0.5),
  rescale: z.literal([0, 1, 2]).default(1),
})

const EPSILON = 1e-8
const ROUNDS = 100

/**
 * g0 = mean gradient, c' = c ||g0||, w = argmin on the simplex of wᵀM 1/T + c' sqrt(wᵀMw), result g0 + c' g_w / ||g_w||. The
 * minimiser is exact where the reference's general-purpose solver stops at about 1e-3.
 */
export function cagrad({ c, rescale }: z.output<typeof cagradOptions>): Balancer {
  const divisor = [1, 1 + c * c, 1 + c][rescale] ?? 1
  return {
    name: 'cagrad',
    needs: 'gram',
    init: () => ({}),
    coefficients: (gradients, state) => {
      const { count, gram, indices } = activeTasks(gradients)
      if (count === 0) return { coefficients: new Float64Array(gradients.active.length), state }
      const meanEntry = gram.reduce((sum, m) => sum + m, 0) / gram.length
      const radius = c * Math.sqrt(Math.max(meanEntry, 0) + EPSILON) + EPSILON
      const w = worstMix(gram, count, radius)
      const pull = radius / (combinedNorm(gram, w) + EPSILON)
      const coefficients = w.map((share) => (1 / count + pull * share) / divisor)
      return { coefficients: spread(coefficients, indices, gradients.active.length), state }
    },
  }
}

/**
 * Newton on the simplex: each round minimises the quadratic model of the convex objective exactly, then searches the line.
 * The square root is smoothed by 1e-8 as in the reference, which keeps it differentiable where g_w vanishes.
 */
function worstMix(gram: Float64Array, count: number, radius: number): Float64Array {
  const toMean = gramTimes(gram, new Float64Array(count).fill(1 / count))
  const value = (w: Float64Array): number => dot(toMean, w) + radius * smoothNorm(gram, w)
  let w: Float64Array = new Float64Array(count).fill(1 / count)
  let polished = 0
  for (let round = 0; round < ROUNDS && polished < 2; round++) {
    const norm = smoothNorm(gram, w)
    const product = gramTimes(gram, w)
    const slope = product.map((m, i) => toMean[i]! + (radius * m) / norm)
    const hessian = gram.map((m, at) => {
      const outer = product[Math.floor(at / count)]! * product[at % count]!
      return (radius * (m - outer / (norm * norm))) / norm
    })
    const curved = gramTimes(hessian, w)
    const target = minimiseOnSimplex(
      hessian,
      slope.map((s, i) => s - curved[i]!),
    )
    const direction = target.map((t, i) => t - w[i]!)
    const decrease = dot(slope, direction)
    // Below the objective's resolution Newton is in its last two, quadratic, steps: no line to search.
    if (-decrease <= 1e-15 * value(w)) {
      polished++
      w = target
      continue
    }
    const next = searched(value, w, direction, decrease)
    if (next === undefined) break
    w = next
  }
  return w
}

function searched(
  value: (w: Float64Array) => number,
  w: Float64Array,
  direction: Float64Array,
  decrease: number,
): Float64Array | undefined {
  const start = value(w)
  for (let step = 1; step > 1e-10; step /= 2) {
    const next = w.map((share, i) => share + step * direction[i]!)
    if (value(next) <= start + 1e-4 * step * decrease) return next
  }
  return undefined
}

function smoothNorm(gram: Float64Array, w: Float64Array): number {
  return Math.sqrt(Math.max(dot(w, gramTimes(gram, w)), 0) + EPSILON)
}
