/**
 * @file How popular items are, by the last first actions: a sketch of bounded memory that can be drawn from. What is drawn has
 * exactly the frequency that `count` tells, so the probability of a draw is known (drawn-negatives.ts).
 */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import { readFields, writeFields } from './field-encoding.ts'

type Fields = Readonly<Record<string, unknown>>

/** An item and what its newest action said of it. */
export interface RecentItem {
  readonly name: string
  readonly fields: Fields
}

interface Counted extends RecentItem {
  fields: Fields
  count: number
}

/** A ring of the last `most` actions; each distinct item is held once. */
export class RecentItems {
  readonly #most: number
  readonly #ring: Counted[] = []
  readonly #items = new Map<string, Counted>()
  /** Where the oldest action is once the ring is full. */
  #oldest = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Actions held. */
  get size(): number {
    return this.#ring.length
  }

  /** How many of the actions were on this item. */
  count(name: string): number {
    return this.#items.get(name)?.count ?? 0
  }

  /** The item of one action, 0 <= place < size. */
  at(place: number): RecentItem {
    return this.#ring[place]!
  }

  /** Takes an action in, and forgets the oldest one when there is no more room. */
  add(name: string, fields: Fields): void {
    const item = this.#items.get(name) ?? { name, fields, count: 0 }
    item.fields = fields
    item.count += 1
    this.#items.set(name, item)
    if (this.#ring.length < this.#most) {
      this.#ring.push(item)
      return
    }
    const leaving = this.#ring[this.#oldest]!
    this.#ring[this.#oldest] = item
    this.#oldest = (this.#oldest + 1) % this.#most
    leaving.count -= 1
    if (leaving.count === 0) this.#items.delete(leaving.name)
  }

  /** Items in the order of the ring, so that equal rings are equal bytes. */
  write(writer: ByteWriter): void {
    const places = new Map<Counted, number>()
    for (const item of this.#ring) if (!places.has(item)) places.set(item, places.size)
    writer.u32(this.#most).u32(this.#oldest).u32(places.size)
    for (const { name, fields } of places.keys()) writeFields(writer.text(name), fields)
    writer.array(Uint32Array.from(this.#ring, (item) => places.get(item)!))
  }

  read(reader: ByteReader): void {
    const most = reader.u32()
    if (most !== this.#most) {
      throw new MillraceError('CORRUPT', `a memory of ${most} actions, not ${this.#most}`)
    }
    this.#oldest = reader.u32()
    const items = Array.from({ length: reader.u32() }, (): Counted => {
      return { name: reader.text(), fields: readFields(reader), count: 0 }
    })
    this.#ring.length = 0
    this.#items.clear()
    for (const place of reader.uint32()) {
      const item = items[place]
      if (item === undefined) throw new MillraceError('CORRUPT', `item ${place} of ${items.length}`)
      item.count += 1
      this.#ring.push(item)
      this.#items.set(item.name, item)
    }
  }
}
