/** @file Uncertainty weighting (Kendall et al. 2018, eqs. 7 and 10): learned log variances; penalised by s/2, unlike IMTL-L's s. */

import { z } from 'zod'
import { activeTasks, spread } from './active-tasks.ts'
import type { Balancer } from './balancer.ts'
import { descended, descentShape, initLearned, learnedOf } from './learned-numbers.ts'

/** `half` is the regression form of the reference code, `bce` the paper's form for classification; `initial` is s at the start. */
export const uncertaintyOptions = z.object({
  form: z.enum(['half', 'bce']).default('bce'),
  initial: z.number().default(0),
  ...descentShape(0.01),
})

/**
 * Minimises sum_i L_i / (2 e^(s_i)) + s_i / 2 (half) or sum_i e^(-s_i) L_i + s_i / 2 (bce) over s together with the model. The
 * coefficient is L_i's factor before s moves, so the step uses the s that the loss was formed with.
 */
export function uncertainty(options: z.output<typeof uncertaintyOptions>): Balancer {
  const factor = options.form === 'half' ? 0.5 : 1
  return {
    name: 'uncertainty',
    needs: 'losses',
    init: (tasks) => initLearned(tasks, options.initial),
    coefficients: (gradients, state) => {
      const tasks = gradients.active.length
      const { indices, losses } = activeTasks(gradients)
      const weights = learnedOf(state, tasks, indices).map((s) => factor * Math.exp(-s))
      const slope = weights.map((weight, i) => 0.5 - weight * losses[i]!)
      return {
        coefficients: spread(weights, indices, tasks),
        state: descended(state, tasks, indices, slope, options),
      }
    },
  }
}
