/** @file The distinct keys of one batch and which of them each occurrence is; so that a row is found, and updated, once per batch. */

import type { SlotKeys } from '../features/encoded-batch.ts'
import type { KeyList } from './table-terms.ts'

/** Scratch that is reused from batch to batch; contents are valid until the next `collect`. */
export class BatchKeys implements KeyList {
  hi: Uint32Array = new Uint32Array(0)
  lo: Uint32Array = new Uint32Array(0)
  /** Distinct keys, in order of first occurrence: slot by slot, row by row. */
  count = 0
  /** For each occurrence, in the same order, the number of its distinct key. */
  occurrences: Int32Array = new Int32Array(0)
  /** For each slot the number of distinct keys up to its end; a key that two slots share counts to the first. */
  readonly slotEnds: number[] = []
  /** Open addressing over the distinct keys: number + 1, 0 is empty. A power of two of at least twice the occurrences. */
  #buckets = new Int32Array(64)

  collect(slots: readonly SlotKeys[]): void {
    const total = slots.reduce((sum, slot) => sum + slot.hi.length, 0)
    this.#reserve(total)
    this.count = 0
    let occurrence = 0
    for (const [slot, { hi, lo }] of slots.entries()) {
      for (let i = 0; i < hi.length; i++)
        this.occurrences[occurrence++] = this.#number(hi[i]!, lo[i]!)
      this.slotEnds[slot] = this.count
    }
  }

  #number(hi: number, lo: number): number {
    const mask = this.#buckets.length - 1
    let at = lo & mask
    for (let entry = this.#buckets[at]!; entry !== 0; entry = this.#buckets[at]!) {
      if (this.lo[entry - 1] === lo && this.hi[entry - 1] === hi) return entry - 1
      at = (at + 1) & mask
    }
    const number = this.count++
    this.hi[number] = hi
    this.lo[number] = lo
    this.#buckets[at] = number + 1
    return number
  }

  #reserve(total: number): void {
    if (this.occurrences.length < total) {
      this.hi = new Uint32Array(total * 2)
      this.lo = new Uint32Array(total * 2)
      this.occurrences = new Int32Array(total * 2)
    }
    let size = this.#buckets.length
    while (size < total * 2) size *= 2
    if (size > this.#buckets.length) this.#buckets = new Int32Array(size)
    else this.#buckets.fill(0)
  }
}
