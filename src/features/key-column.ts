/** @file The keys of one slot while a batch is being encoded: filled row by row, then handed over. */

import type { SlotKeys } from './encoded-batch.ts'
import type { HashKey } from './hash.ts'

/** Write `key`, `push` it, and `endRow` after a row's last. */
export class KeyColumn {
  /** Where the next key is written before `push`. */
  readonly key: HashKey = { hi: 0, lo: 0 }
  readonly #starts: Uint32Array
  #hi: Uint32Array
  #lo: Uint32Array
  #count = 0
  #rows = 0

  constructor(rows: number) {
    this.#starts = new Uint32Array(rows + 1)
    this.#hi = new Uint32Array(rows)
    this.#lo = new Uint32Array(rows)
  }

  push(): void {
    if (this.#count === this.#hi.length) this.#grow()
    this.#hi[this.#count] = this.key.hi
    this.#lo[this.#count] = this.key.lo
    this.#count += 1
  }

  endRow(): void {
    this.#rows += 1
    this.#starts[this.#rows] = this.#count
  }

  /** The slot; the column must not be used afterwards. */
  finish(pooling: SlotKeys['pooling']): SlotKeys {
    const hi = this.#hi.subarray(0, this.#count)
    const lo = this.#lo.subarray(0, this.#count)
    return { hi, lo, starts: this.#starts, pooling }
  }

  #grow(): void {
    const size = Math.max(8, 2 * this.#count)
    const [hi, lo] = [new Uint32Array(size), new Uint32Array(size)]
    hi.set(this.#hi)
    lo.set(this.#lo)
    this.#hi = hi
    this.#lo = lo
  }
}
