/** @file How sure an AUC is: a percentile interval from resampling the rows (bootstrap; Efron and Tibshirani 1993, chapter 13). */

import { type Random, randomFrom } from '../random.ts'

/** Bounds of the interval. */
export interface Interval {
  readonly low: number
  readonly high: number
}

export interface IntervalOptions {
  /** Same seed, same interval. */
  readonly seed: number
  readonly resamples?: number
  /** Share of the resampled AUCs inside the interval. */
  readonly level?: number
}

/** Interval of the AUC; `undefined` when no resample has both classes or a score is NaN. O(n log n + resamples * n). */
export function aucInterval(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  { seed, resamples = 200, level = 0.95 }: IntervalOptions,
): Interval | undefined {
  for (let i = 0; i < scores.length; i++) if (Number.isNaN(scores[i])) return undefined
  const random = randomFrom(seed)
  const order = ascending(scores)
  const values: number[] = []
  for (let i = 0; i < resamples; i++) {
    const value = weightedAuc(scores, labels, order, drawCounts(labels.length, random))
    if (value !== undefined) values.push(value)
  }
  return percentiles(values, level)
}

/** Interval of how much larger the AUC of `second` is than that of `first`, both on the same resampled rows. */
export function pairedAucInterval(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  labels: ArrayLike<number>,
  { seed, resamples = 200, level = 0.95 }: IntervalOptions,
): Interval | undefined {
  const random = randomFrom(seed)
  const orders = [ascending(first), ascending(second)] as const
  const values: number[] = []
  for (let i = 0; i < resamples; i++) {
    const counts = drawCounts(labels.length, random)
    const before = weightedAuc(first, labels, orders[0], counts)
    const after = weightedAuc(second, labels, orders[1], counts)
    if (before !== undefined && after !== undefined) values.push(after - before)
  }
  return percentiles(values, level)
}

function percentiles(values: number[], level: number): Interval | undefined {
  if (values.length === 0) return undefined
  values.sort((a, b) => a - b)
  const tail = (1 - level) / 2
  return { low: quantile(values, tail), high: quantile(values, 1 - tail) }
}

function ascending(scores: ArrayLike<number>): Uint32Array {
  const order = new Uint32Array(scores.length)
  for (let i = 0; i < order.length; i++) order[i] = i
  return order.sort((a, b) => scores[a]! - scores[b]!)
}

/** How often each row is drawn when as many rows as there are get drawn with replacement. */
function drawCounts(rows: number, random: Random): Uint32Array {
  const counts = new Uint32Array(rows)
  for (let i = 0; i < rows; i++) counts[random.integer(rows)]! += 1
  return counts
}

/** AUC of rows that count several times: one walk over the rows sorted once, ties taken together. */
function weightedAuc(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  order: Uint32Array,
  counts: Uint32Array,
): number | undefined {
  let positives = 0
  let negatives = 0
  let concordant = 0
  for (let start = 0; start < order.length; ) {
    const score = scores[order[start]!]!
    let end = start
    let tiedPositives = 0
    let tiedNegatives = 0
    for (; end < order.length && scores[order[end]!]! === score; end++) {
      const row = order[end]!
      if (labels[row]! > 0) tiedPositives += counts[row]!
      else tiedNegatives += counts[row]!
    }
    concordant += tiedPositives * (negatives + tiedNegatives / 2)
    positives += tiedPositives
    negatives += tiedNegatives
    start = end
  }
  const pairs = positives * negatives
  return pairs === 0 ? undefined : concordant / pairs
}

/** Linear between the two nearest values of an ascending list. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  const low = sorted[below]!
  const high = sorted[Math.min(sorted.length - 1, below + 1)]!
  return low + (at - below) * (high - low)
}
