/** @file Smooth Tchebycheff (Lin et al. 2024): soft maximum of log(L_i / nadir_i); the task worst against its own start leads. */

import { z } from 'zod'
import { activeTasks, type PackedTasks, spread } from './active-tasks.ts'
import type { Balancer, BalancerState } from './balancer.ts'
import { filled, numbersOf, replaced } from './balancer-state.ts'
import { LOSS_FLOOR } from './loss-floor.ts'
import { softmax } from './softmax.ts'

/** The first `warmupSteps` minimise sum log L; the nadir is the mean loss over the last `nadirSteps` of them (default all). */
export const stchOptions = z.object({
  mu: z.number().positive().default(1),
  warmupSteps: z.int().nonnegative().default(1000),
  nadirSteps: z.int().positive().optional(),
})

/**
 * Main phase: the gradient of mu T log sum_i exp(log(L_i / nadir_i) / mu), coefficients T softmax(log(L / nadir) / mu)_i / L_i;
 * warm-up: 1 / L_i. A task without a label during the averaging takes its first later loss as nadir.
 */
export function stch(options: z.output<typeof stchOptions>): Balancer {
  const { mu, warmupSteps } = options
  const averagedFrom = warmupSteps - (options.nadirSteps ?? warmupSteps)
  return {
    name: 'stch',
    needs: 'losses',
    init: (tasks) => ({ nadirSums: filled(tasks, 0), nadirCounts: filled(tasks, 0) }),
    coefficients: (gradients, state) => {
      const tasks = gradients.active.length
      const packed = activeTasks(gradients)
      const floored = packed.losses.map((loss) => Math.max(loss, LOSS_FLOOR))
      const warm = gradients.step < warmupSteps
      const next =
        warm && gradients.step < averagedFrom ? state : averaged(state, packed, tasks, warm)
      const weights = warm
        ? floored.map((loss) => 1 / loss)
        : softmax(overNadir(next, packed.indices, floored, tasks).map((r) => Math.log(r) / mu)).map(
            (weight, i) => (packed.count * weight) / floored[i]!,
          )
      return { coefficients: spread(weights, packed.indices, tasks), state: next }
    },
  }
}

/** Adds the losses to the nadir's means; after the warm-up only for tasks that have none. */
function averaged(
  state: BalancerState,
  { indices, losses }: PackedTasks,
  tasks: number,
  warm: boolean,
): BalancerState {
  const sums = numbersOf(state, 'nadirSums', tasks)
  const counts = numbersOf(state, 'nadirCounts', tasks)
  const adds = (task: number): boolean => warm || counts[task] === 0
  return {
    nadirSums: replaced(
      sums,
      indices,
      indices.map((task, i) => sums[task]! + (adds(task) ? losses[i]! : 0)),
    ),
    nadirCounts: replaced(
      counts,
      indices,
      indices.map((task) => counts[task]! + (adds(task) ? 1 : 0)),
    ),
  }
}

function overNadir(
  state: BalancerState,
  indices: readonly number[],
  losses: Float64Array,
  tasks: number,
): Float64Array {
  const sums = numbersOf(state, 'nadirSums', tasks)
  const counts = numbersOf(state, 'nadirCounts', tasks)
  return losses.map((loss, i) => {
    const task = indices[i]!
    return loss / Math.max(sums[task]! / counts[task]!, LOSS_FLOOR)
  })
}
