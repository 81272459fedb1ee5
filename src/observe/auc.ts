/** @file Area under the ROC curve, exact, over scored samples: the probability that a positive is ranked above a negative. */

/** Scores of the positives and of the negatives, each in ascending order. */
interface SplitScores {
  readonly positives: Float64Array
  readonly negatives: Float64Array
}

/**
 * Exact AUC in [0, 1]; a tie between a positive and a negative counts one half (Mann-Whitney U / (P N)). A label above 0
 * is a positive. `undefined` when one of the classes is missing or a score is NaN. O(n log n).
 */
export function auc(scores: ArrayLike<number>, labels: ArrayLike<number>): number | undefined {
  const { positives, negatives } = splitByLabel(scores, labels)
  const pairs = positives.length * negatives.length
  if (pairs === 0 || endsInNaN(positives) || endsInNaN(negatives)) return undefined
  return concordance(positives, negatives) / pairs
}

function splitByLabel(scores: ArrayLike<number>, labels: ArrayLike<number>): SplitScores {
  let count = 0
  for (let i = 0; i < labels.length; i++) if (labels[i]! > 0) count++
  const positives = new Float64Array(count)
  const negatives = new Float64Array(labels.length - count)
  for (let i = 0, p = 0, n = 0; i < labels.length; i++) {
    if (labels[i]! > 0) positives[p++] = scores[i]!
    else negatives[n++] = scores[i]!
  }
  return { positives: positives.sort(), negatives: negatives.sort() }
}

// Typed arrays sort NaN behind every number.
function endsInNaN(sorted: Float64Array): boolean {
  return Number.isNaN(sorted[sorted.length - 1]!)
}

/** Pairs ranked right plus half of the tied pairs; multiples of one half below 2^53 are exact. */
function concordance(positives: Float64Array, negatives: Float64Array): number {
  let below = 0
  let upTo = 0
  let sum = 0
  for (let i = 0; i < positives.length; i++) {
    const score = positives[i]!
    while (below < negatives.length && negatives[below]! < score) below++
    while (upTo < negatives.length && negatives[upTo]! <= score) upTo++
    sum += (below + upTo) / 2
  }
  return sum
}
