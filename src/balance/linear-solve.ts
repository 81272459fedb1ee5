/** @file Small dense linear systems by Gaussian elimination with row scaling and partial pivoting (Golub & Van Loan 3.4). */

/** After row scaling every entry is at most 1, so a pivot this small is rounding, not a number. */
const SINGULAR = 1e-15

/**
 * x with A x = b, for A row-major n x n; undefined when A is singular to working precision. Rows are scaled by their largest
 * entry first, so that task gradients of very different norms do not mislead the choice of pivots.
 */
export function solveLinear(a: Float64Array, b: ArrayLike<number>): Float64Array | undefined {
  const n = b.length
  const m = a.slice()
  const x = Float64Array.from(b)
  for (let i = 0; i < n; i++) if (!scaleRow(m, x, n, i)) return undefined
  for (let k = 0; k < n; k++) {
    const pivot = largestBelow(m, n, k)
    if (!(Math.abs(m[pivot * n + k]!) > SINGULAR)) return undefined
    if (pivot !== k) swapRows(m, x, n, k, pivot)
    eliminate(m, x, n, k)
  }
  for (let i = n - 1; i >= 0; i--) {
    let rest = x[i]!
    for (let j = i + 1; j < n; j++) rest -= m[i * n + j]! * x[j]!
    x[i] = rest / m[i * n + i]!
  }
  return x
}

/** Divides row i and its right side by the row's largest entry; false when the row is zero or not finite. */
function scaleRow(m: Float64Array, x: Float64Array, n: number, i: number): boolean {
  let most = 0
  for (let at = i * n; at < i * n + n; at++) most = Math.max(most, Math.abs(m[at]!))
  if (!(most > 0 && most < Number.POSITIVE_INFINITY)) return false
  for (let at = i * n; at < i * n + n; at++) m[at]! /= most
  x[i]! /= most
  return true
}

function largestBelow(m: Float64Array, n: number, k: number): number {
  let best = k
  for (let i = k + 1; i < n; i++) {
    if (Math.abs(m[i * n + k]!) > Math.abs(m[best * n + k]!)) best = i
  }
  return best
}

function swapRows(m: Float64Array, x: Float64Array, n: number, i: number, j: number): void {
  for (let column = 0; column < n; column++) {
    const kept = m[i * n + column]!
    m[i * n + column] = m[j * n + column]!
    m[j * n + column] = kept
  }
  const kept = x[i]!
  x[i] = x[j]!
  x[j] = kept
}

function eliminate(m: Float64Array, x: Float64Array, n: number, k: number): void {
  for (let i = k + 1; i < n; i++) {
    const factor = m[i * n + k]! / m[k * n + k]!
    for (let j = k; j < n; j++) m[i * n + j]! -= factor * m[k * n + j]!
    x[i]! -= factor * x[k]!
  }
}
