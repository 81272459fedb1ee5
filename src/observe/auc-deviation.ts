/** @file How far an AUC may lie from what more samples would give, without resampling; Hanley and McNeil 1982, equation 2. */

/** Bounds that hold the AUC of endless samples with a chance of about 95 %; undefined when a class is missing. */
export function aucBounds(
  auc: number | undefined,
  positives: number,
  samples: number,
): { readonly low: number; readonly high: number } | undefined {
  const negatives = samples - positives
  if (auc === undefined || positives < 1 || negatives < 1) return undefined
  const square = auc * auc
  const positivePairs = (positives - 1) * (auc / (2 - auc) - square)
  const negativePairs = (negatives - 1) * ((2 * square) / (1 + auc) - square)
  const variance = (auc * (1 - auc) + positivePairs + negativePairs) / (positives * negatives)
  const reach = 1.96 * Math.sqrt(Math.max(0, variance))
  return { low: Math.max(0, auc - reach), high: Math.min(1, auc + reach) }
}
