/**
 * @file What is kept of impressions that have labels to come: from an impression's first row to its last label, or until none can
 * come any more. Holds as many as lie between the shortest and the longest window.
 */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import type { EventTime } from '../time.ts'
import type { Sample } from './sample.ts'

interface Open<Kept> {
  /** Of the impression. */
  readonly time: EventTime
  readonly kept: Kept
  /** 1 for tasks whose label came. */
  readonly labelled: Uint8Array
}

/** By impression id, in the order of first rows. */
export class OpenImpressions<Kept> {
  readonly #horizonMs: number
  readonly #open = new Map<string, Open<Kept>>()

  /** `horizonMs`: an impression so old has had all its labels, or never gets them (an outage). */
  constructor(horizonMs = Number.POSITIVE_INFINITY) {
    this.#horizonMs = horizonMs
  }

  /** Impressions that wait for a label. */
  get size(): number {
    return this.#open.size
  }

  /** What was kept at the impression's first row; undefined before it and after the last label. */
  find(id: string): Kept | undefined {
    return this.#open.get(id)?.kept
  }

  /** Keeps something of the impression whose first row this is; a second time changes nothing. */
  keep({ id, time, mask }: Sample, kept: Kept): void {
    if (this.#open.has(id)) return
    this.#open.set(id, { time, kept, labelled: new Uint8Array(mask.length) })
  }

  /** Takes note of the labels that a row brings; with the last of them the impression is forgotten. */
  labelled({ id, mask }: Sample): void {
    const open = this.#open.get(id)
    if (open === undefined) return
    for (let task = 0; task < mask.length; task++) if (mask[task] === 1) open.labelled[task] = 1
    if (!open.labelled.includes(0)) this.#open.delete(id)
  }

  /** Forgets impressions whose labels are overdue; all rows that follow are of `now` or later. */
  forget(now: EventTime): void {
    // They came in order of their time.
    for (const [id, { time }] of this.#open) {
      if (time + this.#horizonMs >= now) return
      this.#open.delete(id)
    }
  }

  /** Forgets impressions by their ids. */
  drop(ids: Iterable<string>): void {
    for (const id of ids) this.#open.delete(id)
  }

  write(writer: ByteWriter, writeKept: (kept: Kept) => void): void {
    writer.u32(this.#open.size)
    for (const [id, { time, kept, labelled }] of this.#open) {
      writer.text(id).f64(time)
      writeKept(kept)
      writer.array(labelled)
    }
  }

  read(reader: ByteReader, readKept: () => Kept): void {
    this.#open.clear()
    for (let left = reader.u32(); left > 0; left--) {
      const [id, time] = [reader.text(), reader.f64()]
      const kept = readKept()
      this.#open.set(id, { time, kept, labelled: reader.uint8() })
    }
  }
}
