/** @file Gathers samples into mini-batches by count or event time; the last step before the learner. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Stage } from '../stage.ts'
import { END_OF_TIME, type EventTime } from '../time.ts'
import type { BatchOptions } from './options.ts'
import { type Sample, teaches } from './sample.ts'
import { readSample, writeSample } from './sample-encoding.ts'

/** What the learner takes in one step, and the rows in between that are only scored or only judge; never empty. */
export type MiniBatch = readonly Sample[]

/**
 * A mini-batch is full at `count` samples that teach, at a tombstone, or when event time leaves its slice of `everyMs`. Slices are of `maturedAt`,
 * the order in which samples come, and aligned to 1970, so the same samples give the same batches however they are cut
 * into calls, and whether a batch's end is seen by `advance` or by the next sample.
 */
export class MiniBatcher implements Stage {
  readonly #count: number
  readonly #everyMs: number
  #waiting: Sample[] = []
  /** Of those that wait, the ones that teach. */
  #teaching = 0

  /** BAD_SETTINGS when nothing says when a batch is full. */
  constructor({ count, everyMs }: BatchOptions) {
    if (count === undefined && everyMs === undefined) {
      throw new MillraceError(
        'BAD_SETTINGS',
        'a mini-batch needs a count or a span of event time',
        {
          remedy: 'set batch.count, batch.every_ms or both',
        },
      )
    }
    this.#count = count ?? Number.POSITIVE_INFINITY
    this.#everyMs = everyMs ?? Number.POSITIVE_INFINITY
  }

  /** Samples in the half-filled batch. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Takes samples in order of `maturedAt`; gives the batches that became full, in order. */
  push(samples: readonly Sample[]): MiniBatch[] {
    const full: MiniBatch[] = []
    for (const sample of samples) {
      if (sample.maturedAt >= this.#sliceEnd()) full.push(this.#take())
      this.#waiting.push(sample)
      this.#teaching += teaches(sample) ? 1 : 0
      // What was learned before a tombstone is erased with it, and nothing that comes after.
      const ends = this.#teaching >= this.#count || sample.role === 'erasure'
      if (ends) full.push(this.#take())
    }
    return full
  }

  /** Gives the half-filled batch if no sample of its slice can follow: all that follow mature at `watermark` or later. */
  advance(watermark: EventTime): MiniBatch[] {
    return this.#waiting.length > 0 && watermark >= this.#sliceEnd() ? [this.#take()] : []
  }

  /** Gives what is left at the end of a bounded run. */
  flush(): MiniBatch[] {
    return this.advance(END_OF_TIME)
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter().text('mini-batcher 2').u32(this.#waiting.length)
    for (const sample of this.#waiting) writeSample(writer, sample)
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('mini-batcher 2')
    const waiting: Sample[] = []
    for (let left = reader.u32(); left > 0; left--) waiting.push(readSample(reader))
    reader.end()
    this.#waiting = waiting
    this.#teaching = waiting.filter(teaches).length
  }

  /** Where the slice of the waiting samples ends. */
  #sliceEnd(): EventTime {
    const first = this.#waiting[0]
    if (first === undefined || this.#everyMs === Number.POSITIVE_INFINITY) return END_OF_TIME
    return (Math.floor(first.maturedAt / this.#everyMs) + 1) * this.#everyMs
  }

  #take(): MiniBatch {
    const batch = this.#waiting
    this.#waiting = []
    this.#teaching = 0
    return batch
  }
}
