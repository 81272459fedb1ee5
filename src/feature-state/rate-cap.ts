/**
 * @file A bound against poisoning: in a window of event time one value (a user) adds at most so many labels of a task to one key.
 * Counted in a sketch that is never too low, so the bound holds; with very many pairs it may stop a label early, never late.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { CountMin } from '../embeddings/count-min.ts'
import type { SlotKeys } from '../features/encoded-batch.ts'
import { hashBytes } from '../features/hash.ts'
import { hoursToMs, type RateOptions } from '../features/state-options.ts'
import type { Stage } from '../stage.ts'
import type { EventTime } from '../time.ts'
import type { RateLabels } from './rate-table.ts'

/** Counters per row of the sketch: half a megabyte; a few hundred thousand pairs per window before any is stopped early. */
const SKETCH_WIDTH = 2 ** 16

export class RateCap implements Stage {
  readonly #most: number
  readonly #windowMs: number
  readonly #sketch = new CountMin(SKETCH_WIDTH)
  readonly #words = new Uint32Array(5)
  readonly #bytes = new Uint8Array(this.#words.buffer)
  readonly #key = { hi: 0, lo: 0 }
  #window = Number.NEGATIVE_INFINITY
  #refused = 0

  constructor({ most, per_hours: hours }: NonNullable<RateOptions['cap']>) {
    this.#most = most
    this.#windowMs = hoursToMs(hours)
  }

  /** Labels that were not counted for a key. */
  get refused(): number {
    return this.#refused
  }

  /** Moves to the window of `time`; a time of an earlier window counts in the one that is open. */
  open(time: EventTime): void {
    const window = Math.floor(time / this.#windowMs)
    if (window <= this.#window) return
    this.#window = window
    this.#sketch.clear()
  }

  /** The labels without the tasks that the first key of the row of `by` has used up for key `at` of `keys`. */
  allowed(by: SlotKeys, row: number, keys: SlotKeys, at: number, known: RateLabels): RateLabels {
    const weights = known.weights.slice()
    const who = by.starts[row]!
    for (const [task, weight] of weights.entries()) {
      if (weight === 0) continue
      this.#words.set([by.hi[who]!, by.lo[who]!, keys.hi[at]!, keys.lo[at]!, task])
      hashBytes(this.#bytes, this.#bytes.length, 0, this.#key)
      const { hi, lo } = this.#key
      if (this.#sketch.count(hi, lo) < this.#most) this.#sketch.add(hi, lo)
      else {
        weights[task] = 0
        this.#refused += 1
      }
    }
    return { labels: known.labels, weights }
  }

  snapshot(): Uint8Array {
    return new ByteWriter()
      .f64(this.#window)
      .f64(this.#refused)
      .bytes(this.#sketch.snapshot())
      .finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.#window = reader.f64()
    this.#refused = reader.f64()
    this.#sketch.restore(reader.bytes())
  }
}
