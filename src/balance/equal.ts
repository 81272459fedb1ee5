/** @file Equal weighting (EW): the plain sum of the task losses; the baseline that every other method is measured against. */

import { z } from 'zod'
import type { Balancer } from './balancer.ts'

/** No options. */
export const equalOptions = z.object({})

/** Every active task has coefficient 1: the sum, not the mean, so that a task's rate is independent of the others. */
export function equal(_options: z.output<typeof equalOptions>): Balancer {
  return {
    name: 'equal',
    needs: 'losses',
    init: () => ({}),
    coefficients: ({ active }, state) => ({ coefficients: Float64Array.from(active), state }),
  }
}
