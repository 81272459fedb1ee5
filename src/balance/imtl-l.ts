/** @file IMTL-L (Liu et al. 2021, loss balance): learned scales that bring every e^s L to 1; the fixed point is weighting by 1/L. */

import { z } from 'zod'
import { activeTasks, spread } from './active-tasks.ts'
import type { Balancer } from './balancer.ts'
import { descended, descentShape, initLearned, learnedOf } from './learned-numbers.ts'

/** `initial` is s at the start. */
export const imtlLOptions = z.object({ initial: z.number().default(0), ...descentShape(0.01) })

/** Minimises sum_i e^(s_i) L_i - s_i over s; the coefficient is e^(s_i) before s moves. */
export function imtlL(options: z.output<typeof imtlLOptions>): Balancer {
  return {
    name: 'imtl-l',
    needs: 'losses',
    init: (tasks) => initLearned(tasks, options.initial),
    coefficients: (gradients, state) => {
      const tasks = gradients.active.length
      const { indices, losses } = activeTasks(gradients)
      const scales = learnedOf(state, tasks, indices).map(Math.exp)
      const slope = scales.map((scale, i) => scale * losses[i]! - 1)
      return {
        coefficients: spread(scales, indices, tasks),
        state: descended(state, tasks, indices, slope, options),
      }
    },
  }
}
