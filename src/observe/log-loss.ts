/** @file Log loss and normalized entropy of predicted probabilities (He et al. 2014, "Practical Lessons from Predicting Clicks", section 3). */

/** Probabilities are clipped to [PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR], so that one certain mistake stays finite. */
export const PROBABILITY_FLOOR = 1e-7

/** -[y ln p + (1-y) ln(1-p)] of one prediction, in nats, with p clipped. */
export function logLossOf(probability: number, label: number): number {
  const p = Math.min(1 - PROBABILITY_FLOOR, Math.max(PROBABILITY_FLOOR, probability))
  return -(label * Math.log(p) + (1 - label) * Math.log(1 - p))
}

/** Mean log loss in nats; `undefined` without a row. */
export function logLoss(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
): number | undefined {
  let sum = 0
  for (let i = 0; i < labels.length; i++) sum += logLossOf(probabilities[i]!, labels[i]!)
  return labels.length === 0 ? undefined : sum / labels.length
}

/**
 * Mean log loss over the entropy H of the base rate: below 1 is better than always predicting the base rate.
 * `undefined` when the base rate is 0 or 1, where H = 0.
 */
export function normalizedEntropy(meanLogLoss: number, baseRate: number): number | undefined {
  if (!(baseRate > 0 && baseRate < 1)) return undefined
  const entropy = -(baseRate * Math.log(baseRate) + (1 - baseRate) * Math.log(1 - baseRate))
  return meanLogLoss / entropy
}
