/** @file IMTL (Liu et al. 2021, Algorithm 1): both halves; IMTL-G balances the gradients of the losses that IMTL-L has scaled. */

import type { z } from 'zod'
import { movingTasks, spread } from './active-tasks.ts'
import type { Balancer } from './balancer.ts'
import { equalProjections } from './imtl-g.ts'
import { imtlL, imtlLOptions } from './imtl-l.ts'

/** Those of IMTL-L, which has the learned part. */
export const imtlOptions = imtlLOptions

/** Coefficients a_i e^(s_i), with a from IMTL-G on the scaled gradients e^(s_i) g_i; s is learned as in IMTL-L. */
export function imtl(options: z.output<typeof imtlOptions>): Balancer {
  const scaling = imtlL(options)
  return {
    name: 'imtl',
    needs: 'gram',
    init: scaling.init,
    coefficients: (gradients, before) => {
      const { coefficients: scales, state } = scaling.coefficients(gradients, before)
      const { count, gram, indices } = movingTasks(gradients)
      const scale = indices.map((task) => scales[task]!)
      const scaled = gram.map((m, at) => m * scale[Math.floor(at / count)]! * scale[at % count]!)
      const weights = equalProjections(scaled, count).map((a, i) => a * scale[i]!)
      return { coefficients: spread(weights, indices, scales.length), state }
    },
  }
}
