/** @file Geometric loss strategy (Chennupati et al. 2019): the geometric mean of the losses; each weighs 1 / L_i, no state. */

import { z } from 'zod'
import { activeTasks, spread } from './active-tasks.ts'
import type { Balancer } from './balancer.ts'
import { LOSS_FLOOR } from './loss-floor.ts'

/** No options. */
export const glsOptions = z.object({})

/** The gradient of (prod_i L_i)^(1/T): coefficients (prod L)^(1/T) / (T L_i). Losses are positive, floored at `LOSS_FLOOR`. */
export function gls(_options: z.output<typeof glsOptions>): Balancer {
  return {
    name: 'gls',
    needs: 'losses',
    init: () => ({}),
    coefficients: (gradients, state) => {
      const { indices, losses, count } = activeTasks(gradients)
      const floored = losses.map((loss) => Math.max(loss, LOSS_FLOOR))
      const meanLog = floored.reduce((sum, loss) => sum + Math.log(loss), 0) / count
      const weights = floored.map((loss) => Math.exp(meanLog) / (count * loss))
      return { coefficients: spread(weights, indices, gradients.active.length), state }
    },
  }
}
