/** @file The gated mixture of experts on typed arrays: sum over k of gates[:, k] * experts[k], and its gradients. */

import type { FloatArray } from './engine.ts'

/** out [B, h]; experts are added in order, two at a time to halve the passes over `out`. */
export function mixRows(
  out: FloatArray,
  gates: FloatArray,
  experts: readonly FloatArray[],
  width: number,
): void {
  const count = experts.length
  out.fill(0)
  for (let k = 0; k < count; k += 2) {
    const a = experts[k]!
    const b = experts[k + 1]
    for (let i = 0, g = k; i < out.length; g += count) {
      const wa = gates[g]!
      const end = i + width
      if (b === undefined) for (; i < end; i++) out[i]! += wa * a[i]!
      else {
        const wb = gates[g + 1]!
        for (; i < end; i++) out[i]! += wa * a[i]! + wb * b[i]!
      }
    }
  }
}

/** out [B, h] = dy * gates[:, k]. */
export function mixExpertGradientRows(
  out: FloatArray,
  dy: FloatArray,
  gates: FloatArray,
  gate: { readonly k: number; readonly count: number; readonly width: number },
): void {
  for (let i = 0, g = gate.k; i < out.length; g += gate.count) {
    const weight = gates[g]!
    for (const end = i + gate.width; i < end; i++) out[i] = weight * dy[i]!
  }
}

/** out [B, K]: row by row, dy . expert k. */
export function mixGatesGradientRows(
  out: FloatArray,
  dy: FloatArray,
  experts: readonly FloatArray[],
  width: number,
): void {
  const count = experts.length
  for (let k = 0; k < count; k++) {
    const expert = experts[k]!
    for (let i = 0, g = k; i < dy.length; g += count) {
      let even = 0
      let odd = 0
      const end = i + width
      for (; i + 1 < end; i += 2) {
        even += dy[i]! * expert[i]!
        odd += dy[i + 1]! * expert[i + 1]!
      }
      if (i < end) even += dy[i]! * expert[i++]!
      out[g] = even + odd
    }
  }
}
