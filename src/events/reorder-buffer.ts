/** @file Holds events until the watermark has passed them and releases them in total order: the join sees a sorted stream. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Stage } from '../stage.ts'
import type { EventTime } from '../time.ts'
import { compareEvents, type DecodeEvent, type Event, isMalformed } from './event.ts'

/** A binary heap by `compareEvents`; O(log size) per event. Times are kept apart so that most comparisons are of numbers. */
export class ReorderBuffer implements Stage {
  readonly #decode: DecodeEvent
  readonly #events: Event[] = []
  #times = new Float64Array(1024)

  /** `decode` turns the raw bytes of a snapshot back into events. */
  constructor(decode: DecodeEvent) {
    this.#decode = decode
  }

  get size(): number {
    return this.#events.length
  }

  /** The held events in no particular order: for counting, not to be changed. */
  get events(): readonly Event[] {
    return this.#events
  }

  add(event: Event): void {
    let at = this.#events.length
    if (at === this.#times.length) this.#grow()
    this.#events.push(event)
    const { time } = event
    while (at > 0) {
      const parent = (at - 1) >> 1
      const parentTime = this.#times[parent]!
      if (parentTime < time) break
      const above = this.#events[parent]!
      if (parentTime === time && compareEvents(above, event) <= 0) break
      this.#times[at] = parentTime
      this.#events[at] = above
      at = parent
    }
    this.#times[at] = time
    this.#events[at] = event
  }

  /** The first event in total order if its time is before the watermark. */
  next(watermark: EventTime): Event | undefined {
    const first = this.#events[0]
    if (first === undefined || this.#times[0]! >= watermark) return undefined
    const last = this.#events.pop()
    if (last !== undefined && last !== first) this.#sink(last)
    return first
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter().text('reorder-buffer 1').u32(this.#events.length)
    for (const event of [...this.#events].sort(compareEvents)) writeEvent(writer, event)
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('reorder-buffer 1')
    const count = reader.u32()
    this.#events.length = 0
    for (let n = 0; n < count; n++) this.add(readEvent(reader, this.#decode))
    reader.end()
  }

  /** Puts `event` in at the top, where a place is free. */
  #sink(event: Event): void {
    const { time } = event
    const size = this.#events.length
    let at = 0
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && this.#precedes(child + 1, child)) child++
      const childTime = this.#times[child]!
      const below = this.#events[child]!
      if (childTime > time || (childTime === time && compareEvents(below, event) >= 0)) break
      this.#times[at] = childTime
      this.#events[at] = below
      at = child
    }
    this.#times[at] = time
    this.#events[at] = event
  }

  #precedes(a: number, b: number): boolean {
    const difference = this.#times[a]! - this.#times[b]!
    return difference < 0 || (difference === 0 && this.#comparedAt(a, b) < 0)
  }

  #comparedAt(a: number, b: number): number {
    return compareEvents(this.#events[a]!, this.#events[b]!)
  }

  #grow(): void {
    const grown = new Float64Array(this.#times.length * 2)
    grown.set(this.#times)
    this.#times = grown
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
