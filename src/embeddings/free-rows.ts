/** @file Row numbers of a table that hold no key any more: the last one freed is the first one used again. */

import { MillraceError } from '../errors.ts'

/** A stack of row numbers, and one bit per row. */
export class FreeRows {
  readonly #stack: number[] = []
  #bits = new Uint32Array(0)

  get count(): number {
    return this.#stack.length
  }

  has(row: number): boolean {
    return ((this.#bits[row >>> 5] ?? 0) & (1 << (row & 31))) !== 0
  }

  push(row: number): void {
    const word = row >>> 5
    if (word >= this.#bits.length) {
      const grown = new Uint32Array(Math.max(64, (word + 1) * 2))
      grown.set(this.#bits)
      this.#bits = grown
    }
    this.#bits[word] = this.#bits[word]! | (1 << (row & 31))
    this.#stack.push(row)
  }

  /** The row to use next; undefined when none is free. */
  pop(): number | undefined {
    const row = this.#stack.pop()
    if (row !== undefined) this.#bits[row >>> 5] = this.#bits[row >>> 5]! & ~(1 << (row & 31))
    return row
  }

  /** In the order in which they were freed. */
  list(): Uint32Array {
    return Uint32Array.from(this.#stack)
  }

  /** Replaces the stack; CORRUPT when a row comes twice. */
  reset(rows: Uint32Array): void {
    this.#stack.length = 0
    this.#bits.fill(0)
    for (const row of rows) {
      if (this.has(row)) throw new MillraceError('CORRUPT', `row ${row} is free twice`)
      this.push(row)
    }
  }
}
