/** @file PMTRec (Yang et al. 2024, Algorithm 1, eqs. 3 to 6): per embedding row, tasks weighted by a softmax of their gradient norms. */

import { z } from 'zod'
import type { BalancerState } from './balancer.ts'
import { numberOf } from './balancer-state.ts'
import type { RowBalancer, RowBlock } from './row-balancer.ts'
import { checkBlock, mixRows, recall, rowNorms } from './row-norms.ts'

/**
 * `alpha`, `tau`, `main`: the paper's; `main` is the task's place in the job's list. `paper` weighs every task, also without
 * gradient on the row; `masked` leaves those out; `masked-sum` also multiplies by the number of tasks left, so that a large tau is
 * the plain sum. Streaming readings: a pseudo-epoch is `stepsPerEpoch` steps; `maxFocus` caps alpha^epoch (0 = never), else the
 * auxiliary tasks are switched off for ever; `relativeTau` multiplies tau by the running mean norm (decay `normDecay`);
 * `rowDecay` above 0 smooths each row's norms.
 */
export const pmtrecOptions = z.object({
  alpha: z.number().min(1).default(1),
  tau: z.number().positive().default(1),
  main: z.int().nonnegative().default(0),
  mode: z.enum(['paper', 'masked', 'masked-sum']).default('masked-sum'),
  stepsPerEpoch: z.int().positive().default(1000),
  maxFocus: z.number().nonnegative().default(10),
  relativeTau: z.boolean().default(false),
  normDecay: z.number().min(0).lt(1).default(0.99),
  rowDecay: z.number().min(0).lt(1).default(0),
})

type PmtrecOptions = z.output<typeof pmtrecOptions>

/**
 * n_t = ||g_t||, n_main alpha^epoch, w = softmax(n / tau) over tasks, g = sum_t w_t g_t of the unscaled gradients: the LARGER
 * gradient gets the larger weight. Epochs count from 1.
 */
export function pmtrec(options: PmtrecOptions): RowBalancer {
  return {
    name: 'pmtrec',
    remembers: options.rowDecay > 0,
    init: () => ({ normMean: [0], normWeight: [0] }),
    combine: (block, state, out) => {
      checkBlock(block, options.rowDecay > 0, out)
      const norms = rowNorms(block)
      const next = options.relativeTau ? withMeanNorm(state, norms, options.normDecay) : state
      const weights = taskWeights(options, block, norms, temperatureOf(next, options))
      mixRows(block, weights, out)
      return next
    },
  }
}

/** w [rows, T] from the norms [rows, T] at a temperature: each row sums to 1, or to its number of tasks in `masked-sum`. */
export function taskWeights(
  options: PmtrecOptions,
  block: RowBlock,
  norms: Float64Array,
  temperature: number,
): Float64Array {
  const weights = levels(options, block, norms, temperature)
  softmaxRows(weights, block.tasks, options.mode === 'masked-sum')
  return weights
}

/** The running mean of the norms above 0, one number per table; its weight corrects the start. */
function withMeanNorm(state: BalancerState, norms: Float64Array, decay: number): BalancerState {
  let sum = 0
  let count = 0
  for (const norm of norms) {
    sum += norm
    if (norm > 0) count++
  }
  if (count === 0) return state
  return {
    normMean: [decay * numberOf(state, 'normMean') + ((1 - decay) * sum) / count],
    normWeight: [decay * numberOf(state, 'normWeight') + 1 - decay],
  }
}

function temperatureOf(state: BalancerState, { relativeTau, tau }: PmtrecOptions): number {
  const weight = numberOf(state, 'normWeight')
  return relativeTau && weight > 0 ? (tau * numberOf(state, 'normMean')) / weight : tau
}

/** n_t / tau with the main task's focus; -Infinity where a task is masked out. */
function levels(
  options: PmtrecOptions,
  block: RowBlock,
  norms: Float64Array,
  temperature: number,
): Float64Array {
  const { alpha, main, maxFocus, mode, rowDecay, stepsPerEpoch } = options
  const power = alpha ** (1 + Math.floor(block.step / stepsPerEpoch))
  const focus = maxFocus > 0 ? Math.min(power, maxFocus) : power
  const smooth = rowDecay > 0 ? recall(block, norms, rowDecay) : norms
  const out = new Float64Array(norms.length)
  for (let at = 0; at < norms.length; at++) {
    const level = (smooth[at]! * (at % block.tasks === main ? focus : 1)) / temperature
    out[at] = mode !== 'paper' && norms[at] === 0 ? Number.NEGATIVE_INFINITY : level
  }
  return out
}

/** In place, row by row; `sum` multiplies by the number of tasks that take part. A row without any gets zeros. */
function softmaxRows(x: Float64Array, tasks: number, sum: boolean): void {
  for (let start = 0; start < x.length; start += tasks) {
    let largest = Number.NEGATIVE_INFINITY
    for (let at = start; at < start + tasks; at++) largest = Math.max(largest, x[at]!)
    let total = 0
    let present = 0
    for (let at = start; at < start + tasks; at++) {
      if (x[at]! > Number.NEGATIVE_INFINITY) present++
      x[at] = largest > Number.NEGATIVE_INFINITY ? Math.exp(x[at]! - largest) : 0
      total += x[at]!
    }
    const scale = present === 0 ? 0 : (sum ? present : 1) / total
    for (let at = start; at < start + tasks; at++) x[at]! *= scale
  }
}
