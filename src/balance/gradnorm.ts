/** @file GradNorm (Chen et al. 2018, eqs. 1 and 2): learned weights that pull gradient norms towards each task's training rate. */

import { z } from 'zod'
import { activeTasks, normsOf, type PackedTasks, spread } from './active-tasks.ts'
import type { Balancer, BalancerState } from './balancer.ts'
import { filled, numbersOf, replaced } from './balancer-state.ts'
import { descended, descentShape, initLearned, learnedOf } from './learned-numbers.ts'
import { LOSS_FLOOR } from './loss-floor.ts'
import { softmax } from './softmax.ts'

/**
 * `initialLosses` fixes L(0) per task, in the job's task order; without it L(0) is a task's first loss. `referenceDecay` below 1
 * lets L(0) follow the stream slowly, since a stream that never ends forgets its start.
 */
export const gradnormOptions = z.object({
  alpha: z.number().nonnegative().default(1.5),
  initialLosses: z.array(z.number().positive()).optional(),
  referenceDecay: z.number().min(0).max(1).default(0.999),
  ...descentShape(0.01),
})

type GradnormOptions = z.output<typeof gradnormOptions>

/**
 * w = T softmax(logits), coefficients w. N_i = w_i ||g_i||, r_i = (L_i / L_i(0)) / mean, target_i = mean(N) r_i^alpha held
 * constant; the logits descend sum_i |N_i - target_i|. Logits start at 1 as in the reference.
 */
export function gradnorm(options: GradnormOptions): Balancer {
  return {
    name: 'gradnorm',
    needs: 'gram',
    init: (tasks) => ({
      ...initLearned(tasks, 1),
      reference: options.initialLosses ?? filled(tasks, 0),
    }),
    coefficients: (gradients, state) => {
      const tasks = gradients.active.length
      const packed = activeTasks(gradients)
      const { indices, losses, count } = packed
      const known = referenced(state, packed, tasks)
      const weights = softmax(learnedOf(state, tasks, indices)).map((share) => share * count)
      const slope = logitSlope(packed, weights, known, options.alpha)
      const { referenceDecay: decay } = options
      const moved = known.map((loss, i) => decay * loss + (1 - decay) * losses[i]!)
      return {
        coefficients: spread(weights, indices, tasks),
        state: {
          ...descended(state, tasks, indices, slope, options),
          reference: replaced(numbersOf(state, 'reference', tasks), indices, moved),
        },
      }
    },
  }
}

/** L(0) of the packed tasks; a task seen for the first time starts with its present loss. */
function referenced(
  state: BalancerState,
  { indices, losses }: PackedTasks,
  tasks: number,
): Float64Array {
  const reference = numbersOf(state, 'reference', tasks)
  return Float64Array.from(indices, (task, i) =>
    Math.max(reference[task] === 0 ? losses[i]! : reference[task]!, LOSS_FLOOR),
  )
}

function logitSlope(
  { gram, losses, count }: PackedTasks,
  weights: Float64Array,
  reference: Float64Array,
  alpha: number,
): Float64Array {
  const rates = losses.map((loss, i) => loss / reference[i]!)
  const meanRate = Math.max(mean(rates), Number.MIN_VALUE)
  const norms = normsOf(gram, count).map((norm, i) => weights[i]! * norm)
  const meanNorm = mean(norms)
  // d|N_i - target_i| / dw_i times w_i; the softmax then subtracts each weight's share of the total.
  const pulls = norms.map(
    (norm, i) => Math.sign(norm - meanNorm * (rates[i]! / meanRate) ** alpha) * norm,
  )
  const total = pulls.reduce((sum, pull) => sum + pull, 0)
  return pulls.map((pull, i) => pull - (weights[i]! / count) * total)
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
