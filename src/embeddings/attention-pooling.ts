/**
 * @file Attention over the items of a history with the row's own item as the query: v = sum_k a_k e_k, a = softmax(q . e_k / sqrt(d)).
 * As DIN (Zhou et al., KDD 2018) it weighs past items by the one that is shown; in place of DIN's small network the weights are scaled
 * dot products (Vaswani et al. 2017), so that a consumer needs no further weights.
 */

/** Vectors of distinct ids: id n has values[n * stride + at ..] of `width`. */
export interface Vectors {
  readonly values: Float32Array
  readonly stride: number
  readonly at: number
  readonly width: number
}

/** Writes the pooled vector of ids `keys` under the query id to out[outAt ..]; zeros for no keys. */
export function attend(
  vectors: Vectors,
  query: number,
  keys: Int32Array,
  out: Float32Array,
  outAt: number,
): void {
  const { values, stride, at, width } = vectors
  const weights = weightsOf(vectors, query, keys)
  for (let k = 0; k < keys.length; k++) {
    const from = keys[k]! * stride + at
    for (let c = 0; c < width; c++) out[outAt + c]! += weights[k]! * values[from + c]!
  }
}

/** Adds the gradient of `attend` by every vector to gradient[n * width ..], given dx[dxAt ..], the gradient of its result. */
export function attendBackward(
  vectors: Vectors,
  { query, keys }: { readonly query: number; readonly keys: Int32Array },
  dx: Float32Array,
  dxAt: number,
  gradient: Float32Array,
): void {
  const { values, stride, at, width } = vectors
  const weights = weightsOf(vectors, query, keys)
  const byWeight = weights.map((_, k) => dot(values, keys[k]! * stride + at, dx, dxAt, width))
  const mean = byWeight.reduce((sum, one, k) => sum + weights[k]! * one, 0)
  const scale = 1 / Math.sqrt(width)
  const q = query * stride + at
  for (let k = 0; k < keys.length; k++) {
    const byScore = weights[k]! * (byWeight[k]! - mean) * scale
    const from = keys[k]! * stride + at
    for (let c = 0; c < width; c++) {
      gradient[keys[k]! * width + c]! += weights[k]! * dx[dxAt + c]! + byScore * values[q + c]!
      gradient[query * width + c]! += byScore * values[from + c]!
    }
  }
}

function weightsOf(
  { values, stride, at, width }: Vectors,
  query: number,
  keys: Int32Array,
): Float64Array {
  const scale = 1 / Math.sqrt(width)
  const weights = Float64Array.from(
    keys,
    (key) => scale * dot(values, query * stride + at, values, key * stride + at, width),
  )
  const largest = weights.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY)
  for (let k = 0; k < weights.length; k++) weights[k] = Math.exp(weights[k]! - largest)
  const sum = weights.reduce((all, one) => all + one, 0)
  return weights.map((weight) => weight / sum)
}

function dot(a: Float32Array, aAt: number, b: Float32Array, bAt: number, width: number): number {
  let sum = 0
  for (let c = 0; c < width; c++) sum += a[aAt + c]! * b[bAt + c]!
  return sum
}
