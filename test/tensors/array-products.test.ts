/** @file Products in tiles equal the textbook triple loop, for sizes that fill tiles, panels and blocks and that do not. */

import { describe, expect, test } from 'vitest'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { largestError } from '../oracle/finite-difference.ts'

/** c[i][j] = sum over p of a[i][p] b[p][j], with the transposes applied by indexing. */
function textbookProduct(
  [m, k, n]: readonly [number, number, number],
  at: (i: number, p: number) => number,
  bt: (p: number, j: number) => number,
): Float64Array {
  const c = new Float64Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) for (let p = 0; p < k; p++) c[i * n + j]! += at(i, p) * bt(p, j)
  }
  return c
}

function numbers(size: number, phase: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => Math.sin(phase + 1.7 * i))
}

/** One row, one column, whole tiles, ragged tiles, and an inner axis so long that rows are packed in several blocks. */
const sizes: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [1, 9, 6],
  [7, 5, 1],
  [2, 3, 4],
  [8, 16, 12],
  [9, 10, 11],
  [5, 1, 7],
  [11, 3000, 5],
]

describe('a product equals the triple loop:', () => {
  const engine = plainEngine('float64')
  for (const size of sizes) {
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      test(`${size.join(' x ')}, transposed ${transposeA} ${transposeB}`, () => {
        const [m, k, n] = size
        const a = numbers(m * k, 0.3)
        const b = numbers(k * n, 1.1)
        const expected = textbookProduct(
          size,
          (i, p) => a[transposeA ? p * m + i : i * k + p]!,
          (p, j) => b[transposeB ? j * k + p : p * n + j]!,
        )
        const left = engine.upload(a, transposeA ? [k, m] : [m, k])
        const right = engine.upload(b, transposeB ? [n, k] : [k, n])
        const product = engine.matMul(left, right, { transposeA, transposeB })
        expect(product.shape).toEqual([m, n])
        expect(largestError([engine.read(product)], [expected])).toBeLessThan(1e-11)
        for (const tensor of [left, right, product]) engine.dispose(tensor)
      })
    }
  }
})
