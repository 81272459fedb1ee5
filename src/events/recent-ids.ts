/** @file The ids lately seen on one input: a queue of fingerprints in typed arrays, found by hash. */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import { type EventTime, START_OF_TIME } from '../time.ts'
import { fingerprint } from './id-hash.ts'
import type { Name } from './name-units.ts'
import type { DedupeOptions } from './options.ts'
import { SlotIndex } from './slot-index.ts'

const SMALLEST = 64
const scratch = (): Uint32Array => new Uint32Array(4)

/**
 * Remembers ids in order of arrival and forgets from the front: while the oldest arrival lies more than `withinMs`
 * behind the newest event time, or while there are more than `maxIds`. So what is remembered depends on the input's own
 * order only. About 40 bytes per id. Hot: plain loops over typed arrays, nothing is allocated per id.
 */
export class RecentIds {
  readonly #withinMs: number
  readonly #maxIds: number
  readonly #probe = scratch()
  /** Power of two; entry n of the queue sits at slot n & (capacity - 1). */
  #capacity = SMALLEST
  #words = new Uint32Array(SMALLEST * 4)
  #times = new Float64Array(SMALLEST)
  #index = new SlotIndex(SMALLEST)
  #first = 0
  #size = 0
  #newest: EventTime = START_OF_TIME

  constructor({ withinMs, maxIds }: DedupeOptions) {
    this.#withinMs = withinMs
    this.#maxIds = maxIds
  }

  get size(): number {
    return this.#size
  }

  /** Remembers the id, unless it is remembered already: then changes nothing and returns false. */
  add(id: Name, time: EventTime): boolean {
    fingerprint(id, this.#probe)
    const place = this.#find(this.#probe)
    if (this.#index.slotAt(place) >= 0) return false
    this.#append(place, this.#probe, time)
    if (time > this.#newest) this.#newest = time
    const horizon = this.#newest - this.#withinMs
    while (this.#size > 0 && (this.#size > this.#maxIds || this.#times[this.#first]! < horizon)) {
      this.#forget()
    }
    return true
  }

  /** Writes the queue in order of arrival; the layout of the index is no part of the state. */
  write(writer: ByteWriter): void {
    const times = new Float64Array(this.#size)
    const words = new Uint32Array(this.#size * 4)
    const ahead = Math.min(this.#size, this.#capacity - this.#first)
    const wrapped = this.#size - ahead
    times.set(this.#times.subarray(this.#first, this.#first + ahead))
    times.set(this.#times.subarray(0, wrapped), ahead)
    words.set(this.#words.subarray(this.#first * 4, (this.#first + ahead) * 4))
    words.set(this.#words.subarray(0, wrapped * 4), ahead * 4)
    writer.f64(this.#newest).array(times).array(words)
  }

  read(reader: ByteReader): void {
    const newest = reader.f64()
    const times = reader.float64()
    const words = reader.uint32()
    if (words.length !== times.length * 4) {
      throw new MillraceError('CORRUPT', `${times.length} times for ${words.length} words of ids`)
    }
    this.#allocate(SMALLEST)
    this.#newest = newest
    for (let n = 0; n < times.length; n++) {
      this.#probe.set(words.subarray(n * 4, n * 4 + 4))
      const place = this.#find(this.#probe)
      if (this.#index.slotAt(place) >= 0)
        throw new MillraceError('CORRUPT', 'an id is remembered twice')
      this.#append(place, this.#probe, times[n]!)
    }
  }

  /** The index place that holds this fingerprint, or the empty one where it belongs. */
  #find(words: Uint32Array): number {
    let place = this.#index.home(words[0]!)
    for (let slot = this.#index.slotAt(place); slot >= 0; slot = this.#index.slotAt(place)) {
      const at = slot * 4
      if (
        this.#words[at] === words[0] &&
        this.#words[at + 1] === words[1] &&
        this.#words[at + 2] === words[2] &&
        this.#words[at + 3] === words[3]
      ) {
        return place
      }
      place = this.#index.after(place)
    }
    return place
  }

  #append(place: number, words: Uint32Array, time: EventTime): void {
    if (this.#size === this.#capacity) {
      this.#grow()
      this.#append(this.#find(words), words, time)
      return
    }
    const slot = this.#slot(this.#size++)
    // Four stores: a call of TypedArray.set costs more than the rest of this function.
    for (let word = 0; word < 4; word++) this.#words[slot * 4 + word] = words[word]!
    this.#times[slot] = time
    this.#index.put(place, slot, words[0]!)
  }

  #forget(): void {
    this.#index.remove(this.#first)
    this.#first = this.#slot(1)
    this.#size--
  }

  #grow(): void {
    const words = this.#words
    const times = this.#times
    const first = this.#first
    const size = this.#size
    this.#allocate(this.#capacity * 2)
    for (let n = 0; n < size; n++) {
      const slot = (first + n) & (size - 1)
      for (let word = 0; word < 4; word++) this.#words[n * 4 + word] = words[slot * 4 + word]!
      this.#times[n] = times[slot]!
      // All are different: each belongs into the first free place.
      this.#index.put(this.#index.free(words[slot * 4]!), n, words[slot * 4]!)
    }
    this.#size = size
  }

  #allocate(capacity: number): void {
    this.#capacity = capacity
    this.#words = new Uint32Array(capacity * 4)
    this.#times = new Float64Array(capacity)
    this.#index = new SlotIndex(capacity)
    this.#first = 0
    this.#size = 0
  }

  #slot(n: number): number {
    return (this.#first + n) & (this.#capacity - 1)
  }
}
