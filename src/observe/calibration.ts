/** @file Calibration of predicted probabilities: the ratio of sums, and the expected calibration error over equal-width bins. */

/** Counts and sums of the predictions that fell into each bin, index 0 for the lowest probabilities. */
export interface CalibrationBins {
  readonly count: Float64Array
  readonly scoreSum: Float64Array
  readonly labelSum: Float64Array
}

/** Sum of probabilities over sum of labels: 1 is right, above 1 predicts too much. `undefined` without a positive. */
export function calibrationRatio(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
): number | undefined {
  let predicted = 0
  let observed = 0
  for (let i = 0; i < labels.length; i++) {
    predicted += probabilities[i]!
    observed += labels[i]!
  }
  return observed > 0 ? predicted / observed : undefined
}

/** Equal-width bins over [0, 1], closed on the left; a probability of 1 belongs to the last one. */
export function calibrationBins(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  bins = 10,
): CalibrationBins {
  const count = new Float64Array(bins)
  const scoreSum = new Float64Array(bins)
  const labelSum = new Float64Array(bins)
  for (let i = 0; i < labels.length; i++) {
    const bin = Math.min(bins - 1, Math.floor(bins * probabilities[i]!))
    count[bin]! += 1
    scoreSum[bin]! += probabilities[i]!
    labelSum[bin]! += labels[i]!
  }
  return { count, scoreSum, labelSum }
}

/** ECE = sum over bins of n_b/n |mean label - mean probability| (Naeini et al. 2015); `undefined` without a row. */
export function expectedCalibrationError(bins: CalibrationBins): number | undefined {
  let rows = 0
  let gap = 0
  for (let b = 0; b < bins.count.length; b++) {
    rows += bins.count[b]!
    gap += Math.abs(bins.labelSum[b]! - bins.scoreSum[b]!) // n_b |mean - mean|: n_b cancels
  }
  return rows === 0 ? undefined : gap / rows
}
