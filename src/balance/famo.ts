/** @file FAMO (Liu et al. 2023, Algorithm 1): equal progress of log losses, judged by re-evaluating the batch after the step. */

import { z } from 'zod'
import { activeIndices, activeTasks, spread } from './active-tasks.ts'
import type { Balancer, BalancerState } from './balancer.ts'
import { filled, numbersOf, replaced } from './balancer-state.ts'
import { dot } from './gram.ts'
import { descended, initLearned, learnedOf } from './learned-numbers.ts'
import { softmax } from './softmax.ts'

/** `lossFloor` is the paper's b, the least loss each task can reach; the rate and decay are those of the logits' Adam. */
export const famoOptions = z.object({
  learningRate: z.number().positive().default(0.025),
  weightDecay: z.number().nonnegative().default(1e-3),
  lossFloor: z.number().nonnegative().default(0),
})

type FamoOptions = z.output<typeof famoOptions>

const EPSILON = 1e-8

/**
 * z = softmax(xi); coefficients (z_i / D_i) / sum_j z_j / D_j with D_i = L_i - b + 1e-8. After the step
 * d_i = log D_i before - log D_i after, and xi descends z ∘ (d - zᵀd). The reference also clips the combined gradient to
 * norm 1: that is the job's `bounds.maxNorm`.
 */
export function famo(options: FamoOptions): Balancer {
  return {
    name: 'famo',
    needs: 'losses',
    init: (tasks) => ({
      ...initLearned(tasks, 0),
      lossesBefore: filled(tasks, 0),
      activeBefore: filled(tasks, 0),
    }),
    coefficients: (gradients, state) => {
      const tasks = gradients.active.length
      const { indices, losses } = activeTasks(gradients)
      const z = softmax(learnedOf(state, tasks, indices))
      const scaled = z.map((share, i) => share / excess(losses[i]!, options))
      const total = scaled.reduce((sum, value) => sum + value, 0)
      const before = numbersOf(state, 'lossesBefore', tasks)
      return {
        coefficients: spread(
          scaled.map((value) => value / total),
          indices,
          tasks,
        ),
        state: {
          ...state,
          lossesBefore: replaced(before, indices, losses),
          activeBefore: [...gradients.active],
        },
      }
    },
    afterStep: (lossesAfter, state) => learned(options, lossesAfter, state),
  }
}

function learned(
  options: FamoOptions,
  lossesAfter: Float64Array,
  state: BalancerState,
): BalancerState {
  const tasks = lossesAfter.length
  const before = numbersOf(state, 'lossesBefore', tasks)
  const indices = activeIndices(Uint8Array.from(numbersOf(state, 'activeBefore', tasks)))
  const z = softmax(learnedOf(state, tasks, indices))
  const progress = z.map((_, i) => {
    const task = indices[i]!
    return Math.log(excess(before[task]!, options)) - Math.log(excess(lossesAfter[task]!, options))
  })
  const mean = dot(z, progress)
  const slope = z.map((share, i) => share * (progress[i]! - mean))
  return descended(state, tasks, indices, slope, { ...options, optimizer: 'adam' })
}

function excess(loss: number, { lossFloor }: FamoOptions): number {
  return Math.max(loss - lossFloor, 0) + EPSILON
}
