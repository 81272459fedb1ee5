/** @file Softmax of a few numbers, shifted by the largest so that it cannot overflow. */

/** exp(x_i) / sum_j exp(x_j), freshly allocated; empty for no numbers. */
export function softmax(x: ArrayLike<number>): Float64Array {
  let largest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, x[i]!)
  const weights = new Float64Array(x.length)
  let sum = 0
  for (let i = 0; i < x.length; i++) {
    weights[i] = Math.exp(x[i]! - largest)
    sum += weights[i]!
  }
  for (let i = 0; i < x.length; i++) weights[i]! /= sum
  return weights
}
