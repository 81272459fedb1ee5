/** @file Rows of a version by their keys, as its updates change them one after the other. */

import type { TableRows } from '../src/embeddings/table-rows.ts'

/** Values by key, in hex: updates bring rows in any order. */
export class RowsByKey {
  readonly #rows = new Map<string, Float32Array>()

  clear(): void {
    this.#rows.clear()
  }

  /** Takes away `removed` (hi, lo, hi, lo ...), then puts in rows of `width` values. */
  take(removed: Uint32Array, { keys, values }: TableRows, width: number): void {
    for (let i = 0; i < removed.length; i += 2) this.#rows.delete(keyAt(removed, i))
    for (let i = 0; i < keys.length / 2; i++) {
      this.#rows.set(keyAt(keys, 2 * i), values.slice(i * width, (i + 1) * width))
    }
  }

  /** All rows in the order of their keys. */
  sorted(width: number): TableRows {
    const rows = [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1))
    const keys = new Uint32Array(2 * rows.length)
    const values = new Float32Array(width * rows.length)
    for (const [i, [key, row]] of rows.entries()) {
      keys[2 * i] = Number.parseInt(key.slice(0, 8), 16)
      keys[2 * i + 1] = Number.parseInt(key.slice(8), 16)
      values.set(row, i * width)
    }
    return { keys, values }
  }
}

function keyAt(keys: Uint32Array, at: number): string {
  return hex(keys[at]!) + hex(keys[at + 1]!)
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0')
}
