/** @file Oracle for gradients: central differences of any scalar function, in float64. */

/** Values of one argument and how they are laid out. */
export interface Argument {
  readonly values: Float64Array
  readonly shape: readonly number[]
}

/**
 * Gradient of `f` at `point`, one array per argument: (f(x + h) - f(x - h)) / 2h with h = step * max(1, |x|). The error is
 * about step^2 times the third derivative plus 1e-16 / step: near 1e-9 for well scaled smooth functions at the default.
 */
export function centralDifferences(
  f: (point: readonly Float64Array[]) => number,
  point: readonly Float64Array[],
  step = 1e-5,
): Float64Array[] {
  const at = point.map((values) => values.slice())
  return at.map((values) => {
    const gradient = new Float64Array(values.length)
    for (let i = 0; i < values.length; i++) {
      const x = values[i]!
      const h = step * Math.max(1, Math.abs(x))
      values[i] = x + h
      const above = f(at)
      values[i] = x - h
      const below = f(at)
      values[i] = x
      gradient[i] = (above - below) / (2 * h)
    }
    return gradient
  })
}

/** The largest |a - b| / max(1, |b|) over two lists of arrays; Infinity when sizes differ or something is not finite. */
export function largestError(
  a: readonly ArrayLike<number>[],
  b: readonly ArrayLike<number>[],
): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let worst = 0
  for (let k = 0; k < a.length; k++) {
    const left = a[k]!
    const right = b[k]!
    if (left.length !== right.length) return Number.POSITIVE_INFINITY
    for (let i = 0; i < left.length; i++) {
      const error = Math.abs(left[i]! - right[i]!) / Math.max(1, Math.abs(right[i]!))
      if (!Number.isFinite(error)) return Number.POSITIVE_INFINITY
      worst = Math.max(worst, error)
    }
  }
  return worst
}
