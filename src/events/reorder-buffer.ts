/** @file Holds events until the watermark has passed them and releases them in total order: the join sees a sorted stream. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Stage } from '../stage.ts'
import type { EventTime } from '../time.ts'
import { compareEvents, type DecodeEvent, type Event, isMalformed } from './event.ts'

/**
 * A binary heap by `compareEvents`; O(log size) per event. What moves in it are times and numbers of slots; the events stay where
 * they were put, so that the garbage collector is told of each one once.
 */
export class ReorderBuffer implements Stage {
  readonly #decode: DecodeEvent
  /** By slot; undefined where a slot is free. */
  #events: (Event | undefined)[] = []
  /** By place in the heap; behind the heap are the slots that are free. */
  #times = new Float64Array(0)
  #slots = new Int32Array(0)
  #size = 0

  /** `decode` turns the raw bytes of a snapshot back into events. */
  constructor(decode: DecodeEvent) {
    this.#decode = decode
  }

  get size(): number {
    return this.#size
  }

  /** The held events in no particular order: for counting, not to be changed. */
  get events(): readonly Event[] {
    return this.#events.filter((event) => event !== undefined)
  }

  add(event: Event): void {
    let at = this.#size
    if (at === this.#slots.length) this.#grow()
    this.#size += 1
    const slot = this.#slots[at]!
    this.#events[slot] = event
    const times = this.#times
    const slots = this.#slots
    const { time } = event
    while (at > 0) {
      const parent = (at - 1) >> 1
      const parentTime = times[parent]!
      if (parentTime < time) break
      const above = slots[parent]!
      if (parentTime === time && this.#compared(above, slot) <= 0) break
      times[at] = parentTime
      slots[at] = above
      at = parent
    }
    times[at] = time
    slots[at] = slot
  }

  /** The first event in total order if its time is before the watermark. */
  next(watermark: EventTime): Event | undefined {
    if (this.#size === 0 || this.#times[0]! >= watermark) return undefined
    const slot = this.#slots[0]!
    const first = this.#events[slot]
    this.#events[slot] = undefined
    this.#size -= 1
    if (this.#size > 0) this.#sink(this.#times[this.#size]!, this.#slots[this.#size]!)
    this.#slots[this.#size] = slot
    return first
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter().text('reorder-buffer 1').u32(this.#size)
    for (const event of [...this.events].sort(compareEvents)) writeEvent(writer, event)
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('reorder-buffer 1')
    const count = reader.u32()
    this.#events = []
    this.#times = new Float64Array(0)
    this.#slots = new Int32Array(0)
    this.#size = 0
    for (let n = 0; n < count; n++) this.add(readEvent(reader, this.#decode))
    reader.end()
  }

  /** Puts a slot in from the top, where a place is free. */
  #sink(time: EventTime, slot: number): void {
    const times = this.#times
    const slots = this.#slots
    const size = this.#size
    let at = 0
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && this.#precedes(child + 1, child)) child++
      const childTime = times[child]!
      const below = slots[child]!
      if (childTime > time || (childTime === time && this.#compared(below, slot) >= 0)) break
      times[at] = childTime
      slots[at] = below
      at = child
    }
    times[at] = time
    slots[at] = slot
  }

  #precedes(a: number, b: number): boolean {
    const difference = this.#times[a]! - this.#times[b]!
    return (
      difference < 0 || (difference === 0 && this.#compared(this.#slots[a]!, this.#slots[b]!) < 0)
    )
  }

  #compared(a: number, b: number): number {
    return compareEvents(this.#events[a]!, this.#events[b]!)
  }

  #grow(): void {
    const capacity = Math.max(1024, this.#slots.length * 2)
    const times = new Float64Array(capacity)
    const slots = Int32Array.from({ length: capacity }, (_, slot) => slot)
    times.set(this.#times)
    slots.set(this.#slots)
    this.#times = times
    this.#slots = slots
  }
}

/** An event in a snapshot: where it came from and its framed bytes. */
export function writeEvent(writer: ByteWriter, { source, raw }: Event): void {
  writer.u32(source.input).f64(source.offset).bytes(raw)
}

/** Reads what `writeEvent` wrote; CORRUPT when the bytes no longer decode. */
export function readEvent(reader: ByteReader, decode: DecodeEvent): Event {
  const source = { input: reader.u32(), offset: reader.f64() }
  const decoded = decode(reader.bytes().slice(), source)
  if (!isMalformed(decoded)) return decoded
  throw new MillraceError(
    'CORRUPT',
    `record ${source.offset} of input ${source.input} in a snapshot does not decode: ${decoded.detail}`,
    { remedy: 'restore with the schemas and event kinds that the snapshot was taken with' },
  )
}
