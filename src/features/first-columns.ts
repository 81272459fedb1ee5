/**
 * @file The state columns of impressions that have labels to come. By an impression's second row its own first label has been
 * counted, so every row of it is encoded with the columns of its first: a label never sees itself (law 1).
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import type { Sample } from '../samples/sample.ts'
import type { Stage } from '../stage.ts'
import type { EventTime } from '../time.ts'

interface Waiting {
  readonly time: EventTime
  readonly columns: Float32Array
  /** 1 for tasks whose label came; one entry per task, sized by the first row. */
  readonly labelled: Uint8Array
}

/** Holds `width` numbers for as many impressions as lie between the shortest and the longest window. */
export class FirstColumns implements Stage {
  readonly #horizonMs: number
  readonly #waiting = new Map<string, Waiting>()

  /** `horizonMs`: an impression so old has had all its labels, or never gets them (an outage). */
  constructor(horizonMs: number) {
    this.#horizonMs = horizonMs
  }

  /** Forgets impressions whose labels are overdue; all rows that follow are of `now` or later. */
  forget(now: EventTime): void {
    // They came in order of their time.
    for (const [id, { time }] of this.#waiting) {
      if (time + this.#horizonMs >= now) return
      this.#waiting.delete(id)
    }
  }

  /** Impressions that wait for a label. */
  get size(): number {
    return this.#waiting.size
  }

  /** The columns that the impression was encoded with first; undefined at its first row. */
  find(id: string): Float32Array | undefined {
    return this.#waiting.get(id)?.columns
  }

  /** Keeps the columns of an impression's first row. */
  keep({ id, time, mask }: Sample, columns: Float32Array): void {
    this.#waiting.set(id, { time, columns, labelled: new Uint8Array(mask.length) })
  }

  /** Forgets the impression when every label of it has come. */
  labelled({ id, mask }: Sample): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    for (let task = 0; task < mask.length; task++) if (mask[task] === 1) waiting.labelled[task] = 1
    if (!waiting.labelled.includes(0)) this.#waiting.delete(id)
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(256 + this.#waiting.size * 256).u32(this.#waiting.size)
    for (const [id, { time, columns, labelled }] of this.#waiting) {
      writer.text(id).f64(time).array(columns).array(labelled)
    }
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.#waiting.clear()
    for (let left = reader.u32(); left > 0; left--) {
      const id = reader.text()
      const time = reader.f64()
      this.#waiting.set(id, { time, columns: reader.float32(), labelled: reader.uint8() })
    }
  }
}
