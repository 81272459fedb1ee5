/** @file MetaBalance (He et al. 2022, Algorithm 1) per embedding row, since one norm for a whole table follows its popular rows. */

import type { z } from 'zod'
import { metabalanceOptions, towardsTarget } from './metabalance.ts'
import type { RowBalancer } from './row-balancer.ts'
import { checkBlock, mixRows, recall, rowNorms } from './row-norms.ts'

/** Those of the method on dense parameters. */
export const metabalanceRowsOptions = metabalanceOptions

/**
 * Each row is its own segment: its tasks' running norms live beside it (`remembers`), starting at the first norm seen. A task that
 * did not touch the row contributes nothing and keeps its norm.
 */
export function metabalanceRows(options: z.output<typeof metabalanceRowsOptions>): RowBalancer {
  const { beta, relax, target } = options
  return {
    name: 'metabalance',
    remembers: true,
    init: () => ({}),
    combine: (block, state, out) => {
      checkBlock(block, true, out)
      const memory = recall(block, rowNorms(block), beta)
      const weights = new Float64Array(block.rows * block.tasks)
      for (let at = 0; at < weights.length; at++) {
        const targetNorm = memory[at - (at % block.tasks) + target] ?? 0
        weights[at] = towardsTarget(memory[at]!, targetNorm, relax)
      }
      mixRows(block, weights, out)
      return state
    },
  }
}
