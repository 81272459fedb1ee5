/**
 * @file A count-min sketch (Cormode and Muthukrishnan 2005) with conservative update: how often a 64-bit key was seen, in memory
 * that does not grow. A count is never too low, so a bound that is checked against it holds.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import { mix32 } from '../random.ts'
import type { Stage } from '../stage.ts'

const ROWS = 4
const MOST = 0xffff

/** Counts up to 65,535 in 4 rows of `width` counters, 8 bytes per unit of width. */
export class CountMin implements Stage {
  readonly #width: number
  readonly #counts: Uint16Array
  readonly #places = new Uint32Array(ROWS)

  /** `width`: counters per row, rounded up to a power of two. */
  constructor(width: number) {
    this.#width = 2 ** Math.ceil(Math.log2(Math.max(2, width)))
    this.#counts = new Uint16Array(ROWS * this.#width)
  }

  get bytes(): number {
    return this.#counts.byteLength
  }

  /** At least how often the key was added. */
  count(hi: number, lo: number): number {
    this.#place(hi, lo)
    let least = MOST
    for (const place of this.#places) least = Math.min(least, this.#counts[place]!)
    return least
  }

  /** Adds one; returns the count with it. */
  add(hi: number, lo: number): number {
    const count = Math.min(MOST, this.count(hi, lo) + 1)
    for (const place of this.#places) {
      if (this.#counts[place]! < count) this.#counts[place] = count
    }
    return count
  }

  /** Halves every count: what was seen long ago weighs less. */
  halve(): void {
    for (let i = 0; i < this.#counts.length; i++) this.#counts[i] = this.#counts[i]! >>> 1
  }

  clear(): void {
    this.#counts.fill(0)
  }

  /** Counters that are not zero, as (place, count): a sketch of few keys is few bytes. */
  snapshot(): Uint8Array {
    const used: number[] = []
    for (let place = 0; place < this.#counts.length; place++) {
      if (this.#counts[place]! > 0) used.push(place, this.#counts[place]!)
    }
    return new ByteWriter(used.length * 4 + 16)
      .u32(this.#width)
      .array(Uint32Array.from(used))
      .finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    const width = reader.u32()
    if (width !== this.#width) {
      throw new MillraceError('CORRUPT', `a sketch of width ${width}, not ${this.#width}`)
    }
    const used = reader.uint32()
    this.clear()
    for (let i = 0; i + 1 < used.length; i += 2) this.#counts[used[i]!] = used[i + 1]!
  }

  /** Keys are hashes; each row mixes both halves with its own number. */
  #place(hi: number, lo: number): void {
    for (let row = 0; row < ROWS; row++) {
      const word = mix32(hi ^ mix32(lo + Math.imul(row + 1, 0x9e3779b9)))
      this.#places[row] = row * this.#width + (word & (this.#width - 1))
    }
  }
}
