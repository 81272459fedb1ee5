/** @file IMTL-G (Liu et al. 2021, gradient balance): the combination whose projections on all unit gradients are equal; closed form, may be negative. */

import { z } from 'zod'
import { movingTasks, normsOf, spread } from './active-tasks.ts'
import type { Balancer } from './balancer.ts'
import { solveLinear } from './linear-solve.ts'

/** No options. */
export const imtlGOptions = z.object({})

/** Coefficients summing to 1 that make <g, g_i> / ||g_i|| the same for every task with a gradient. */
export function imtlG(_options: z.output<typeof imtlGOptions>): Balancer {
  return {
    name: 'imtl-g',
    needs: 'gram',
    init: () => ({}),
    coefficients: (gradients, state) => {
      const { count, gram, indices } = movingTasks(gradients)
      const coefficients = equalProjections(gram, count)
      return { coefficients: spread(coefficients, indices, gradients.active.length), state }
    },
  }
}

/**
 * a_2..a_n = g_1 Uᵀ (D Uᵀ)^-1 with rows D_k = g_1 - g_k and U_k = u_1 - u_k, u = g / ||g||; a_1 = 1 - the rest. `gram` is M of n
 * gradients above the norm floor; a singular D Uᵀ gets a ridge of 1e-8 of its largest entry.
 */
export function equalProjections(gram: Float64Array, count: number): Float64Array {
  if (count === 0) return new Float64Array(0)
  const others = count - 1
  const norms = normsOf(gram, count)
  const along = (i: number, j: number): number => gram[i * count + j]! / norms[j]!
  const transposed = new Float64Array(others * others)
  const right = new Float64Array(others)
  for (let j = 1; j < count; j++) {
    right[j - 1] = along(0, 0) - along(0, j)
    for (let k = 1; k < count; k++) {
      transposed[(j - 1) * others + k - 1] = along(0, 0) - along(k, 0) - along(0, j) + along(k, j)
    }
  }
  const rest = solveLinear(transposed, right) ?? solveWithRidge(transposed, right)
  return Float64Array.of(1 - rest.reduce((sum, a) => sum + a, 0), ...rest)
}

function solveWithRidge(matrix: Float64Array, right: Float64Array): Float64Array {
  const ridge = 1e-8 * matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const n = right.length
  const raised = matrix.map((value, at) => (at % (n + 1) === 0 ? value + ridge : value))
  return solveLinear(raised, right) ?? new Float64Array(n).fill(1 / (n + 1))
}
