/** @file Bounds around any Gram or loss balancer (papers.md 5, streaming rules): coefficients clamped, combined norm clipped. */

import { z } from 'zod'
import type { Balancer } from './balancer.ts'
import { combinedNorm } from './gram.ts'

/**
 * Coefficients of active tasks are clamped to [minimum, maximum]; papers.md advises [0.05, 20], which also keeps a task from being
 * trained backwards. Then the combined gradient is clipped to `maxNorm`; 0 means no clipping.
 */
export const boundsOptions = z.strictObject({
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  maxNorm: z.number().nonnegative().default(0),
})

/** The same method with its coefficients kept in bounds; clipping needs the Gram matrix even where the method does not. */
export function bounded(inner: Balancer, options: z.output<typeof boundsOptions>): Balancer {
  const {
    minimum = Number.NEGATIVE_INFINITY,
    maximum = Number.POSITIVE_INFINITY,
    maxNorm,
  } = options
  return {
    ...inner,
    name: `${inner.name}, bounded`,
    needs: maxNorm > 0 ? 'gram' : inner.needs,
    coefficients: (gradients, before) => {
      const { coefficients, state } = inner.coefficients(gradients, before)
      const clamped = coefficients.map((c, i) =>
        gradients.active[i] === 1 ? Math.min(Math.max(c, minimum), maximum) : 0,
      )
      return { coefficients: clippedToNorm(clamped, gradients.gram, maxNorm), state }
    },
  }
}

/** c times min(1, maxNorm / (|| sum_i c_i g_i || + 1e-6)), PyTorch's clipping rule; 0 is no clipping. */
export function clippedToNorm(c: Float64Array, gram: Float64Array, maxNorm: number): Float64Array {
  if (maxNorm === 0) return c
  const factor = Math.min(1, maxNorm / (combinedNorm(gram, c) + 1e-6))
  return c.map((value) => value * factor)
}
