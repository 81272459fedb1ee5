/** @file Eigenvalues and eigenvectors of a small symmetric matrix by cyclic Jacobi rotations (Golub & Van Loan 8.5). */

/** M = V diag(l) Vᵀ; eigenvector k is column k of `vectors`, row-major n x n. Order is that of the diagonal, not sorted. */
export interface SymmetricEigen {
  readonly values: Float64Array
  readonly vectors: Float64Array
}

const SWEEPS = 60

/** Decomposes the symmetric row-major n x n matrix; accurate to rounding relative to its largest eigenvalue. */
export function symmetricEigen(matrix: Float64Array, n: number): SymmetricEigen {
  const a = matrix.slice()
  const vectors = new Float64Array(n * n)
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1
  for (let sweep = 0; sweep < SWEEPS && !isDiagonal(a, n); sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) rotate(a, vectors, n, p, q)
    }
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!), vectors }
}

/** Off-diagonal entries that no longer change the diagonal in float64 are zeros. */
function isDiagonal(a: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      if (Math.abs(a[i * n + j]!) > 1e-18 * (Math.abs(a[i * n + i]!) + Math.abs(a[j * n + j]!))) {
        return false
      }
    }
  }
  return true
}

/** Zeroes a_pq by a rotation in the plane (p, q), and applies it to the columns of V. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!
  if (apq === 0) return
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq)
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1))
  const c = 1 / Math.hypot(t, 1)
  const s = t * c
  for (let k = 0; k < n; k++) mix(a, k * n + p, k * n + q, c, s)
  for (let k = 0; k < n; k++) mix(a, p * n + k, q * n + k, c, s)
  for (let k = 0; k < n; k++) mix(v, k * n + p, k * n + q, c, s)
  a[p * n + q] = 0
  a[q * n + p] = 0
}

function mix(values: Float64Array, i: number, j: number, c: number, s: number): void {
  const x = values[i]!
  const y = values[j]!
  values[i] = c * x - s * y
  values[j] = s * x + c * y
}
