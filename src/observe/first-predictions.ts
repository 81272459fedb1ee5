/**
 * @file With staged emission an impression gives several rows, and by the second one the model has learned from the first:
 * its new prediction would have seen this very impression's click. What is judged is the prediction made when the impression
 * gave its first row, for all its tasks; it waits here until their labels are final.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import type { Sample } from '../samples/sample.ts'
import type { Stage } from '../stage.ts'
import type { EventTime } from '../time.ts'

interface Waiting {
  /** Of the impression. */
  readonly time: EventTime
  /** One probability per task. */
  readonly probabilities: Float32Array
  /** 1 for tasks whose label came. */
  readonly labelled: Uint8Array
}

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
  readonly #horizonMs: number
  readonly #waiting = new Map<string, Waiting>()

  /** `horizonMs`: an impression so old has had all its labels, or never gets them (an outage). */
  constructor(tasks: number, horizonMs = Number.POSITIVE_INFINITY) {
    this.#tasks = tasks
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

  /**
   * Task-major probabilities as they were when each row's impression was scored first; `probabilities` are those of now, and
   * are what a first row gives.
   */
  judge(samples: readonly Sample[], probabilities: Float32Array): Float32Array {
    const rows = samples.length
    const judged = probabilities.slice(0, this.#tasks * rows)
    for (const [row, sample] of samples.entries()) {
      const waiting =
        this.#waiting.get(sample.id) ?? this.#firstRow(sample.time, row, rows, probabilities)
      for (let task = 0; task < this.#tasks; task++) {
        judged[task * rows + row] = waiting.probabilities[task]!
      }
      this.#settle(sample, waiting)
    }
    return judged
  }

  /** Keeps what was predicted for impressions as they open; a second prediction of one changes nothing. */
  note(samples: readonly Sample[], probabilities: Float32Array): void {
    for (const [row, { id, time }] of samples.entries()) {
      if (this.#waiting.has(id)) continue
      this.#waiting.set(id, this.#firstRow(time, row, samples.length, probabilities))
    }
  }

  /** Of these rows those whose impression was noted, with the prediction of that moment. */
  recall(samples: readonly Sample[]): Recalled {
    const known = samples.flatMap((sample) => {
      const waiting = this.#waiting.get(sample.id)
      return waiting !== undefined && sample.mask.includes(1) ? [{ sample, waiting }] : []
    })
    const probabilities = new Float32Array(this.#tasks * known.length)
    for (const [row, { sample, waiting }] of known.entries()) {
      for (let task = 0; task < this.#tasks; task++) {
        probabilities[task * known.length + row] = waiting.probabilities[task]!
      }
      this.#settle(sample, waiting)
    }
    return { samples: known.map(({ sample }) => sample), probabilities }
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(64 + this.#waiting.size * 64).u32(this.#waiting.size)
    for (const [id, { time, probabilities, labelled }] of this.#waiting) {
      writer.text(id).f64(time).array(probabilities).array(labelled)
    }
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.#waiting.clear()
    for (let left = reader.u32(); left > 0; left--) {
      const id = reader.text()
      const time = reader.f64()
      this.#waiting.set(id, { time, probabilities: reader.float32(), labelled: reader.uint8() })
    }
  }

  /** Takes note of the labels that came; with the last of them the impression is forgotten. */
  #settle({ id, mask }: Sample, waiting: Waiting): void {
    for (let task = 0; task < this.#tasks; task++) if (mask[task] === 1) waiting.labelled[task] = 1
    if (waiting.labelled.includes(0)) this.#waiting.set(id, waiting)
    else this.#waiting.delete(id)
  }

  #firstRow(time: EventTime, row: number, rows: number, probabilities: Float32Array): Waiting {
    const own = new Float32Array(this.#tasks)
    for (let task = 0; task < this.#tasks; task++) own[task] = probabilities[task * rows + row]!
    return { time, probabilities: own, labelled: new Uint8Array(this.#tasks) }
  }
}
