/** @file The Gram matrix M = G Gᵀ of task gradients, and what can be said about a combination from M alone. */

/** M, row-major T x T, of G [tasks, length]; sums in float64 whatever the gradients' type. */
export function gramOf(
  gradients: Float32Array | Float64Array,
  tasks: number,
  length: number,
): Float64Array {
  const gram = new Float64Array(tasks * tasks)
  for (let i = 0; i < tasks; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0
      for (let p = 0; p < length; p++)
        sum += gradients[i * length + p]! * gradients[j * length + p]!
      gram[i * tasks + j] = sum
      gram[j * tasks + i] = sum
    }
  }
  return gram
}

/** sum_i c_i g_i, freshly allocated, of G [c.length, length]. */
export function combined(
  coefficients: Float64Array,
  gradients: Float32Array | Float64Array,
  length: number,
): Float64Array {
  const sum = new Float64Array(length)
  for (let i = 0; i < coefficients.length; i++) {
    const c = coefficients[i]!
    if (c === 0) continue
    for (let p = 0; p < length; p++) sum[p]! += c * gradients[i * length + p]!
  }
  return sum
}

/** M a, length n. */
export function gramTimes(gram: Float64Array, a: Float64Array): Float64Array {
  const count = a.length
  const product = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) product[i]! += gram[i * count + j]! * a[j]!
  }
  return product
}

/** aᵀ b of two vectors of equal length. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** || sum_i a_i g_i || = sqrt(aᵀ M a); rounding below zero counts as zero. */
export function combinedNorm(gram: Float64Array, a: Float64Array): number {
  return Math.sqrt(Math.max(dot(a, gramTimes(gram, a)), 0))
}
