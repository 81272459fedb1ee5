/** @file From 64-bit keys to row numbers: open addressing in 256 shards that grow one at a time, so that no insert waits for all rows. */

import { PAGE_BITS, PAGE_MASK, type RowPages } from './row-pages.ts'

const SHARD_BITS = 8
const SHARDS = 1 << SHARD_BITS
const ENTRY_ROW_MASK = 2 ** 27 - 1
const SMALLEST_SHARD = 8
const MAX_LOAD = 0.8
const GROWTH = 2

/** Keys that are found together: their index entries and records stay in the nearest caches meanwhile. */
export const FIND_BLOCK = 256

/**
 * An entry is a 5-bit tag (top of key lo) and row + 1; 0 is empty. The key itself is compared in the row's record, so
 * keys never collide, and the tag spares 31 of 32 vain comparisons, each a cache miss. Keys are expected to be hashes:
 * the top bits of hi choose the shard, the others the place in it by multiplication, which allows any shard size and
 * keeps a rebuild sequential. Sizes are staggered over the shards by up to one doubling, so rebuilds spread evenly over
 * inserts and the index weighs 7.2 bytes per row at every size (5 to 10 by shard).
 */
export class KeyIndex {
  readonly #pages: RowPages
  readonly #shards: Uint32Array[] = []
  readonly #used = new Uint32Array(SHARDS)
  readonly #steps = new Uint8Array(SHARDS)
  readonly #candidates = new Uint32Array(FIND_BLOCK)
  readonly #differences = new Int32Array(FIND_BLOCK)

  constructor(pages: RowPages) {
    this.#pages = pages
    for (let shard = 0; shard < SHARDS; shard++)
      this.#shards.push(new Uint32Array(shardSize(shard, 0)))
  }

  /** The entries, for kernels that search by themselves; valid until the next `add`. */
  get shards(): readonly Uint32Array[] {
    return this.#shards
  }

  /** Bytes of all entries. */
  get bytes(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.byteLength, 0)
  }

  /**
   * Writes the rows of keys [start, end), at most FIND_BLOCK of them, -1 where there is none; returns how many there
   * were not. Three passes without a branch that waits for memory, so that the misses of a block overlap: one by one
   * each mispredicted branch would wait for its own.
   */
  find(hi: Uint32Array, lo: Uint32Array, start: number, end: number, rows: Int32Array): number {
    const candidates = this.#candidates
    for (let i = start; i < end; i++) {
      const shard = this.#shards[hi[i]! >>> (32 - SHARD_BITS)]!
      candidates[i - start] = shard[home(hi[i]!, shard.length)]!
    }
    for (let i = start; i < end; i++) {
      candidates[i - start] = this.#candidate(hi[i]!, lo[i]!, candidates[i - start]!)
    }
    let unseen = 0
    this.#compare(hi, lo, start, end)
    for (let i = start; i < end; i++) {
      const candidate = candidates[i - start]!
      const isRow = candidate !== 0 && this.#differences[i - start] === 0
      const row = isRow ? candidate - 1 : candidate === 0 ? -1 : this.findOne(hi[i]!, lo[i]!)
      rows[i] = row
      unseen += row >>> 31
    }
    return unseen
  }

  /** The row of one key, -1 when there is none. */
  findOne(hi: number, lo: number): number {
    const shard = this.#shards[hi >>> (32 - SHARD_BITS)]!
    const size = shard.length
    const width = this.#pages.recordWidth
    const tag = lo >>> 27
    let at = home(hi, size)
    for (let entry = shard[at]!; entry !== 0; entry = shard[at]!) {
      if (entry >>> 27 === tag) {
        const row = (entry & ENTRY_ROW_MASK) - 1
        const page = this.#pages.words[row >>> PAGE_BITS]!
        const record = (row & PAGE_MASK) * width
        if (page[record] === hi && page[record + 1] === lo) return row
      }
      at = at + 1 === size ? 0 : at + 1
    }
    return -1
  }

  /** Adds a key that `findOne` does not know; `row` must already hold it. May rebuild the key's shard: one in 256. */
  add(hi: number, lo: number, row: number): void {
    const number = hi >>> (32 - SHARD_BITS)
    const used = this.#used[number]! + 1
    this.#used[number] = used
    if (used > this.#shards[number]!.length * MAX_LOAD) this.#grow(number)
    place(this.#shards[number]!, home(hi, this.#shards[number]!.length), entryOf(lo, row))
  }

  /** Takes a key out; its record, and those of all other rows, must still hold their keys. */
  remove(hi: number, lo: number, row: number): void {
    const number = hi >>> (32 - SHARD_BITS)
    const shard = this.#shards[number]!
    const size = shard.length
    const next = (place: number): number => (place + 1 === size ? 0 : place + 1)
    let hole = home(hi, size)
    while (shard[hole] !== entryOf(lo, row)) hole = next(hole)
    // What was placed behind the hole because of it moves forward, so that a search never stops short of it (Knuth 6.4 R).
    for (let at = next(hole); shard[at] !== 0; at = next(at)) {
      const from = home(this.#hiOf(shard[at]!), size)
      const stays = hole <= at ? hole < from && from <= at : hole < from || from <= at
      if (stays) continue
      shard[hole] = shard[at]!
      hole = at
    }
    shard[hole] = 0
    this.#used[number] = this.#used[number]! - 1
  }

  #hiOf(entry: number): number {
    const row = (entry & ENTRY_ROW_MASK) - 1
    return this.#pages.words[row >>> PAGE_BITS]![(row & PAGE_MASK) * this.#pages.recordWidth]!
  }

  /** Row + 1 of the first entry with the key's tag, 0 when none comes before an empty place. */
  #candidate(hi: number, lo: number, first: number): number {
    const tag = lo >>> 27
    if (first >>> 27 === tag || first === 0) return first & ENTRY_ROW_MASK
    const shard = this.#shards[hi >>> (32 - SHARD_BITS)]!
    let at = home(hi, shard.length)
    for (;;) {
      at = at + 1 === shard.length ? 0 : at + 1
      const entry = shard[at]!
      if (entry >>> 27 === tag || entry === 0) return entry & ENTRY_ROW_MASK
    }
  }

  /** For every key of the block and its candidate's: 0 where they are equal. */
  #compare(hi: Uint32Array, lo: Uint32Array, start: number, end: number): void {
    const { words, recordWidth } = this.#pages
    if (words.length === 0) return
    for (let i = start; i < end; i++) {
      const row = Math.max(this.#candidates[i - start]! - 1, 0)
      const page = words[row >>> PAGE_BITS]!
      const record = (row & PAGE_MASK) * recordWidth
      this.#differences[i - start] = (page[record]! ^ hi[i]!) | (page[record + 1]! ^ lo[i]!)
    }
  }

  #grow(number: number): void {
    const old = this.#shards[number]!
    this.#steps[number] = this.#steps[number]! + 1
    const grown = new Uint32Array(shardSize(number, this.#steps[number]!))
    const hi = this.#keyHalves(old)
    for (let i = 0; i < old.length; i++) {
      if (old[i] !== 0) place(grown, home(hi[i]!, grown.length), old[i]!)
    }
    this.#shards[number] = grown
  }

  /** The hi of every entry's key, read in a pass of its own so that the misses overlap; any value for an empty place. */
  #keyHalves(shard: Uint32Array): Uint32Array {
    const { words, recordWidth } = this.#pages
    const halves = new Uint32Array(shard.length)
    for (let i = 0; i < shard.length; i++) {
      const row = Math.max((shard[i]! & ENTRY_ROW_MASK) - 1, 0)
      halves[i] = words[row >>> PAGE_BITS]![(row & PAGE_MASK) * recordWidth]!
    }
    return halves
  }
}

/** Where in a shard of `size` entries the search for a key starts: its low 24 bits of hi, scaled to the size. */
function home(hi: number, size: number): number {
  return ((hi & 0xffffff) * size * 2 ** -24) | 0
}

function entryOf(lo: number, row: number): number {
  return ((lo & 0xf8000000) | (row + 1)) >>> 0
}

function place(shard: Uint32Array, start: number, entry: number): void {
  let at = start
  while (shard[at] !== 0) at = at + 1 === shard.length ? 0 : at + 1
  shard[at] = entry
}

/** Size of a shard after `steps` growths; the fraction of its number shifts it by up to one growth. */
function shardSize(shard: number, steps: number): number {
  return Math.ceil(SMALLEST_SHARD * GROWTH ** (steps + shard / SHARDS))
}
