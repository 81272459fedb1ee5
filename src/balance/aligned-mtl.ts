/** @file Aligned-MTL (Senushkin et al. 2023, Algorithm 1): the nearest orthogonal system; all directions shrink to the weakest one. */

import { z } from 'zod'
import { activeTasks, spread } from './active-tasks.ts'
import type { Balancer } from './balancer.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

/** Eigenvalues of M at or below `tolerance` times the largest count as the null space. */
export const alignedMtlOptions = z.object({ tolerance: z.number().positive().lt(1).default(1e-10) })

/** M = V diag(l) Vᵀ without its null space; coefficients sqrt(l_min) V diag(l)^(-1/2) Vᵀ 1, which may be negative. */
export function alignedMtl({ tolerance }: z.output<typeof alignedMtlOptions>): Balancer {
  return {
    name: 'aligned-mtl',
    needs: 'gram',
    init: () => ({}),
    coefficients: (gradients, state) => {
      const { count, gram, indices } = activeTasks(gradients)
      const { values, vectors } = symmetricEigen(gram, count)
      const largest = values.reduce((most, l) => Math.max(most, l), 0)
      const kept = [...values.keys()].filter((k) => values[k]! > tolerance * largest)
      const smallest = kept.reduce((least, k) => Math.min(least, values[k]!), largest)
      const sums = new Float64Array(count)
      for (const k of kept) {
        let onOnes = 0
        for (let i = 0; i < count; i++) onOnes += vectors[i * count + k]!
        const stretch = onOnes * Math.sqrt(smallest / values[k]!)
        for (let i = 0; i < count; i++) sums[i]! += vectors[i * count + k]! * stretch
      }
      return { coefficients: spread(sums, indices, gradients.active.length), state }
    },
  }
}
