/** @file A hash index over the numbered slots of a queue: open addressing in typed arrays, nothing allocated per entry. */

/**
 * Knows slots by a 32-bit hash; the owner of the slots decides whether a slot is the one it looks for. A Map would hold
 * every key as one more object for the garbage collector to copy, and pays for each deletion with a rehash later.
 * Linear probing at half load: whoever may choose keys freely can make probes long.
 */
export class SlotIndex {
  /** Slot + 1, or 0 where empty. */
  readonly #places: Uint32Array
  readonly #hashes: Uint32Array
  readonly #mask: number

  /** `capacity`: how many slots there are, a power of two. */
  constructor(capacity: number) {
    this.#places = new Uint32Array(capacity * 2)
    this.#hashes = new Uint32Array(capacity)
    this.#mask = capacity * 2 - 1
  }

  /** The place where the search for a hash begins. */
  home(hash: number): number {
    return hash & this.#mask
  }

  /** The place to look at next. */
  after(place: number): number {
    return (place + 1) & this.#mask
  }

  /** The slot at a place; -1 where the search ends. */
  slotAt(place: number): number {
    return this.#places[place]! - 1
  }

  /** The hash that a slot was put in with. */
  hashOf(slot: number): number {
    return this.#hashes[slot]!
  }

  /** Whether a slot is in the index. */
  has(slot: number): boolean {
    let place = this.home(this.#hashes[slot]!)
    while (this.#places[place] !== slot + 1) {
      if (this.#places[place] === 0) return false
      place = this.after(place)
    }
    return true
  }

  /** The place where a search for this hash ends when no slot is the one. */
  free(hash: number): number {
    let place = this.home(hash)
    while (this.#places[place] !== 0) place = this.after(place)
    return place
  }

  /** Puts a slot where a search for its hash ended, at an empty place or instead of another slot. */
  put(place: number, slot: number, hash: number): void {
    this.#places[place] = slot + 1
    this.#hashes[slot] = hash
  }

  /** Takes a slot out; does nothing when another has been put in its place. */
  remove(slot: number): void {
    let hole = this.home(this.#hashes[slot]!)
    while (this.#places[hole] !== slot + 1) {
      if (this.#places[hole] === 0) return
      hole = this.after(hole)
    }
    // Deletion by shifting back (Knuth, TAOCP 6.4, algorithm R): no tombstones, so searches stay short for ever.
    for (let place = this.after(hole); this.#places[place] !== 0; place = this.after(place)) {
      const home = this.home(this.#hashes[this.#places[place]! - 1]!)
      if (((place - home) & this.#mask) < ((place - hole) & this.#mask)) continue
      this.#places[hole] = this.#places[place]!
      hole = place
    }
    this.#places[hole] = 0
  }
}
