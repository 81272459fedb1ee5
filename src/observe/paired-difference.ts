/** @file How sure it is that one learner is better than another on the same impressions: paired differences with their intervals. */

import { auc } from './auc.ts'
import { type Interval, pairedAucInterval } from './auc-interval.ts'
import { logLossOf } from './log-loss.ts'

/** Of the second learner minus the first; below 0 in the log loss is better, above 0 in the AUC. */
export interface PairedDifference {
  readonly impressions: number
  readonly positives: number
  readonly logloss: number
  /** 95 %, by the normal distribution of the mean of the paired differences. */
  readonly loglossInterval: Interval
  readonly auc: number | undefined
  /** 95 %, both AUCs on the same resampled rows. */
  readonly aucInterval: Interval | undefined
}

/** Standard normal quantile of a 95 % interval. */
const Z = 1.959964

/** Probabilities of the same rows, and their labels. */
export function pairedDifference(
  first: Float32Array,
  second: Float32Array,
  labels: Float32Array,
): PairedDifference {
  const rows = labels.length
  let sum = 0
  let squares = 0
  let positives = 0
  for (let row = 0; row < rows; row++) {
    const label = labels[row]!
    const difference = logLossOf(second[row]!, label) - logLossOf(first[row]!, label)
    sum += difference
    squares += difference * difference
    positives += label
  }
  const mean = rows > 0 ? sum / rows : 0
  const variance = rows > 1 ? Math.max(0, squares - rows * mean * mean) / (rows - 1) : 0
  const half = rows > 0 ? Z * Math.sqrt(variance / rows) : 0
  const [before, after] = [auc(first, labels), auc(second, labels)]
  return {
    impressions: rows,
    positives,
    logloss: mean,
    loglossInterval: { low: mean - half, high: mean + half },
    auc: before === undefined || after === undefined ? undefined : after - before,
    aucInterval: pairedAucInterval(first, second, labels, { seed: 1 }),
  }
}
