/** @file An online logistic regression with AdaGrad (Duchi et al. 2011): the yardstick for what a learner can get. */

/** Names as dense numbers, in the order of their first use. */
export class Interned {
  readonly #numbers = new Map<string, number>()

  get size(): number {
    return this.#numbers.size
  }

  numberOf(name: string): number {
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    this.#numbers.set(name, this.#numbers.size)
    return this.#numbers.size - 1
  }
}

/** Predict, then learn, one row after another, one weight per feature; rows from `frozenAt` on are only predicted. */
export function progressive(
  rows: readonly Uint32Array[],
  features: number,
  labels: readonly number[],
  frozenAt = Number.POSITIVE_INFINITY,
): number[] {
  const weights = new Float64Array(features)
  const squares = new Float64Array(features).fill(1)
  return rows.map((used, row) => {
    let z = 0
    for (const feature of used) z += weights[feature] ?? 0
    const p = 1 / (1 + Math.exp(-z))
    if (row >= frozenAt) return p
    const gradient = p - (labels[row] ?? 0)
    for (const feature of used) {
      const square = (squares[feature] ?? 1) + gradient * gradient
      squares[feature] = square
      weights[feature] = (weights[feature] ?? 0) - (0.2 * gradient) / Math.sqrt(square)
    }
    return p
  })
}

/** Area under the ROC curve by ranks; ties count half. */
export function auc(scores: readonly number[], labels: readonly number[]): number {
  const order = scores.map((_, i) => i).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0))
  let positives = 0
  let rankSum = 0
  for (let i = 0; i < order.length; ) {
    let end = i
    while (end < order.length && scores[order[end] ?? 0] === scores[order[i] ?? 0]) end++
    const rank = (i + end + 1) / 2
    for (; i < end; i++) {
      if (labels[order[i] ?? 0] !== 1) continue
      positives++
      rankSum += rank
    }
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (order.length - positives))
}
