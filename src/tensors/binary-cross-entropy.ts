/** @file Masked, weighted binary cross-entropy on logits: one loss per task and batch, with its gradient, in float64. */

import type { FloatArray } from './engine.ts'

/** loss = sum_i w_i bce_i / normalizer, and its gradient by the logits, w_i (sigmoid(z_i) - y_i) / normalizer. */
export interface CrossEntropy {
  readonly loss: number
  readonly gradient: Float64Array
}

/**
 * bce(z, y) = max(z, 0) - z y + log(1 + exp(-|z|)), which neither overflows nor loses the tail. Rows of weight 0 add
 * exactly nothing, whatever their label or logit holds. `normalizer` defaults to max(1, sum of the weights).
 */
export function crossEntropyOfLogits(
  logits: FloatArray,
  labels: FloatArray,
  weights: FloatArray,
  normalizer?: number,
): CrossEntropy {
  const gradient = new Float64Array(logits.length)
  let loss = 0
  let total = 0
  for (let i = 0; i < logits.length; i++) {
    const w = weights[i]!
    if (w === 0) continue
    const z = logits[i]!
    const y = labels[i]!
    const tail = Math.exp(-Math.abs(z))
    const probability = z >= 0 ? 1 / (1 + tail) : tail / (1 + tail)
    loss += w * (Math.max(z, 0) - z * y + Math.log1p(tail))
    gradient[i] = w * (probability - y)
    total += w
  }
  const divisor = normalizer ?? Math.max(1, total)
  for (let i = 0; i < gradient.length; i++) gradient[i]! /= divisor
  return { loss: loss / divisor, gradient }
}
