/** @file Dynamic weight average (Liu et al. 2019, eq. 7): tasks whose loss falls slowest weigh most; it sees rates, never sizes. */

import { z } from 'zod'
import { activeTasks, spread } from './active-tasks.ts'
import type { Balanced, Balancer, BalancerState, TaskGradients } from './balancer.ts'
import { filled, numbersOf, replaced } from './balancer-state.ts'
import { LOSS_FLOOR } from './loss-floor.ts'
import { softmax } from './softmax.ts'

/** `period` compares the last two whole periods of so many steps; `window` slides (the streaming form). */
export const dwaOptions = z.object({
  form: z.enum(['period', 'window']).default('window'),
  periodSteps: z.int().positive().default(1000),
  window: z.int().positive().default(25),
  temperature: z.number().positive().default(2),
})

type DwaOptions = z.output<typeof dwaOptions>

/**
 * w = T softmax(r / temperature), r_i = L_i newer / L_i older. A task without two periods (or window + 1 earlier labelled
 * steps) has r_i = 1. The window form's losses are averaged over tasks, as its reference does: coefficients w_i / T.
 */
export function dwa(options: DwaOptions): Balancer {
  const windowed = options.form === 'window'
  return {
    name: 'dwa',
    needs: 'losses',
    init: (tasks) => (windowed ? initWindow(options, tasks) : initPeriods(tasks)),
    coefficients: (gradients, state) =>
      windowed ? byWindow(options, gradients, state) : byPeriod(options, gradients, state),
  }
}

function initPeriods(tasks: number): BalancerState {
  const none = filled(tasks, 0)
  return { older: none, newer: none, periods: none, sums: none, counts: none, steps: [0] }
}

function byPeriod(options: DwaOptions, gradients: TaskGradients, state: BalancerState): Balanced {
  const tasks = gradients.active.length
  const { indices, losses, count } = activeTasks(gradients)
  const at = (key: string): readonly number[] => numbersOf(state, key, tasks)
  const ratios = indices.map((task) =>
    at('periods')[task]! < 2 ? 1 : at('newer')[task]! / Math.max(at('older')[task]!, LOSS_FLOOR),
  )
  const weights = softmax(ratios.map((r) => r / options.temperature)).map((w) => w * count)
  const step = (numbersOf(state, 'steps', 1)[0]! + 1) % options.periodSteps
  const next = {
    older: at('older'),
    newer: at('newer'),
    periods: at('periods'),
    sums: replaced(
      at('sums'),
      indices,
      indices.map((task, i) => at('sums')[task]! + losses[i]!),
    ),
    counts: replaced(
      at('counts'),
      indices,
      indices.map((task) => at('counts')[task]! + 1),
    ),
    steps: [step],
  }
  return {
    coefficients: spread(weights, indices, tasks),
    state: step === 0 ? nextPeriod(next) : next,
  }
}

/** Closes the period: tasks that had labels in it move on, the others keep the means they have. */
function nextPeriod(
  state: {
    readonly [Key in 'older' | 'newer' | 'periods' | 'sums' | 'counts']: readonly number[]
  },
): BalancerState {
  const { older, newer, periods, sums, counts } = state
  const none = filled(sums.length, 0)
  const had = (task: number): boolean => counts[task]! > 0
  return {
    older: older.map((mean, task) => (had(task) ? newer[task]! : mean)),
    newer: newer.map((mean, task) => (had(task) ? sums[task]! / counts[task]! : mean)),
    periods: periods.map((seen, task) => (had(task) ? seen + 1 : seen)),
    sums: none,
    counts: none,
    steps: [0],
  }
}

/** The reference's buffer starts full of ones. */
function initWindow({ window }: DwaOptions, tasks: number): BalancerState {
  return { history: filled(tasks * 2 * window, 1), pushed: filled(tasks, 0) }
}

function byWindow(options: DwaOptions, gradients: TaskGradients, state: BalancerState): Balanced {
  const tasks = gradients.active.length
  const { indices, losses } = activeTasks(gradients)
  const { window, temperature } = options
  const history = [...numbersOf(state, 'history', tasks * 2 * window)]
  const pushed = [...numbersOf(state, 'pushed', tasks)]
  const ratios = indices.map((task, i) => {
    const start = task * 2 * window
    // The current loss is pushed before the ratio is taken.
    history.copyWithin(start, start + 1, start + 2 * window)
    history[start + 2 * window - 1] = losses[i]!
    pushed[task]! += 1
    const older = sum(history, start, start + window)
    return pushed[task]! <= window + 1
      ? 1
      : sum(history, start + window, start + 2 * window) / Math.max(older, window * LOSS_FLOOR)
  })
  const weights = softmax(ratios.map((r) => r / temperature))
  return { coefficients: spread(weights, indices, tasks), state: { history, pushed } }
}

function sum(values: readonly number[], from: number, to: number): number {
  let total = 0
  for (let i = from; i < to; i++) total += values[i]!
  return total
}
