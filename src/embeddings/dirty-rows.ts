/** @file Which rows changed since a consumer last asked: one bit per row, read in row order at a cost of the rows marked. */

/** A set of row numbers, grown as they come. */
export class DirtyRows {
  #bits = new Uint32Array(0)
  #count = 0

  /** Rows in the set. */
  get size(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#bits.byteLength
  }

  mark(row: number): void {
    const word = row >>> 5
    if (word >= this.#bits.length) this.#grow(word)
    const bit = 1 << (row & 31)
    const old = this.#bits[word]!
    if ((old & bit) !== 0) return
    this.#bits[word] = old | bit
    this.#count += 1
  }

  /** The rows in ascending order; the caller owns the array. */
  list(): Uint32Array {
    const rows = new Uint32Array(this.#count)
    for (let word = 0, at = 0; at < rows.length; word++) {
      for (let rest = this.#bits[word]!; rest !== 0; rest &= rest - 1) {
        rows[at++] = word * 32 + 31 - Math.clz32(rest & -rest)
      }
    }
    return rows
  }

  clear(): void {
    this.#bits.fill(0)
    this.#count = 0
  }

  /** A quarter more each time: 1 bit per row, so even at 100 million rows the copy is 12 MB. */
  #grow(word: number): void {
    const grown = new Uint32Array(Math.max(256, Math.ceil((word + 1) * 1.25)))
    grown.set(this.#bits)
    this.#bits = grown
  }
}
