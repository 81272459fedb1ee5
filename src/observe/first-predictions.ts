/**
 * @file With staged emission an impression gives several rows, and by the second one the model has learned from the first:
 * its new prediction would have seen this very impression's click. What is judged is the prediction made when the impression
 * gave its first row, for all its tasks; it waits here until their labels are final.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { OpenImpressions } from '../samples/open-impressions.ts'
import type { Sample } from '../samples/sample.ts'
import type { Stage } from '../stage.ts'
import type { EventTime } from '../time.ts'

/** Rows of impressions whose first prediction is known, with these predictions, task-major. */
export interface Recalled {
  readonly samples: readonly Sample[]
  readonly probabilities: Float32Array
}

/**
 * Two uses, one per instance. `judge`: rows are scored when they are learned from; holds as many impressions as lie between the
 * shortest and the longest window. `note` and `recall`: rows are scored when the impression opens, and what was predicted then
 * waits for the labels; holds the impressions that are open.
 */
export class FirstPredictions implements Stage {
  readonly #tasks: number
  /** One probability per task. */
  readonly #open: OpenImpressions<Float32Array>

  /** `horizonMs`: an impression so old has had all its labels, or never gets them (an outage). */
  constructor(tasks: number, horizonMs = Number.POSITIVE_INFINITY) {
    this.#tasks = tasks
    this.#open = new OpenImpressions(horizonMs)
  }

  /** Forgets impressions whose labels are overdue; all rows that follow are of `now` or later. */
  forget(now: EventTime): void {
    this.#open.forget(now)
  }

  /** Forgets impressions by their ids. */
  drop(ids: Iterable<string>): void {
    this.#open.drop(ids)
  }

  /** Impressions that wait for a label. */
  get size(): number {
    return this.#open.size
  }

  /**
   * Task-major probabilities as they were when each row's impression was scored first; `probabilities` are those of now, and
   * are what a first row gives.
   */
  judge(samples: readonly Sample[], probabilities: Float32Array): Float32Array {
    // Nothing waits, and nothing would after it: with `wait` emission a row is an impression's first and its last.
    if (this.size === 0 && samples.every(({ mask }) => !mask.includes(0))) return probabilities
    this.note(samples, probabilities)
    const judged = new Float32Array(this.#tasks * samples.length)
    for (const [row, sample] of samples.entries()) {
      const first = this.#open.find(sample.id)
      for (let task = 0; task < this.#tasks; task++) {
        const at = task * samples.length + row
        judged[at] = first?.[task] ?? probabilities[at]!
      }
      this.#open.labelled(sample)
    }
    return judged
  }

  /** Keeps what was predicted for impressions as they open; a second prediction of one changes nothing. */
  note(samples: readonly Sample[], probabilities: Float32Array): void {
    for (const [row, sample] of samples.entries()) {
      if (this.#open.find(sample.id) !== undefined) continue
      this.#open.keep(sample, this.#predicted(row, samples.length, probabilities))
    }
  }

  /** Of these rows those whose impression was noted, with the prediction of that moment. */
  recall(samples: readonly Sample[]): Recalled {
    const known = samples.flatMap((sample) => {
      const first = this.#open.find(sample.id)
      return first !== undefined && sample.mask.includes(1) ? [{ sample, first }] : []
    })
    const probabilities = new Float32Array(this.#tasks * known.length)
    for (const [row, { sample, first }] of known.entries()) {
      for (let task = 0; task < this.#tasks; task++) {
        probabilities[task * known.length + row] = first[task]!
      }
      this.#open.labelled(sample)
    }
    return { samples: known.map(({ sample }) => sample), probabilities }
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(64 + this.size * 64)
    this.#open.write(writer, (probabilities) => writer.array(probabilities))
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.#open.read(reader, () => reader.float32())
  }

  #predicted(row: number, rows: number, probabilities: Float32Array): Float32Array {
    return Float32Array.from(
      { length: this.#tasks },
      (_, task) => probabilities[task * rows + row]!,
    )
  }
}
