/**
 * @file With staged emission an impression gives several rows, and by the second one the model has learned from the first:
 * its new prediction would have seen this very impression's click. What is judged is the prediction made when the impression
 * gave its first row, for all its tasks; it waits here until their labels are final.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import type { Sample } from '../samples/sample.ts'
import type { Stage } from '../stage.ts'

interface Waiting {
  /** One probability per task. */
  readonly probabilities: Float32Array
  /** 1 for tasks whose label came. */
  readonly labelled: Uint8Array
}

/** Holds as many impressions as lie between the shortest and the longest window. */
export class FirstPredictions implements Stage {
  readonly #tasks: number
  readonly #waiting = new Map<string, Waiting>()

  constructor(tasks: number) {
    this.#tasks = tasks
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
      const waiting = this.#waiting.get(sample.id) ?? this.#firstRow(row, rows, probabilities)
      for (let task = 0; task < this.#tasks; task++) {
        judged[task * rows + row] = waiting.probabilities[task]!
        if (sample.mask[task] === 1) waiting.labelled[task] = 1
      }
      if (waiting.labelled.includes(0)) this.#waiting.set(sample.id, waiting)
      else this.#waiting.delete(sample.id)
    }
    return judged
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(64 + this.#waiting.size * 64).u32(this.#waiting.size)
    for (const [id, { probabilities, labelled }] of this.#waiting) {
      writer.text(id).array(probabilities).array(labelled)
    }
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.#waiting.clear()
    for (let left = reader.u32(); left > 0; left--) {
      const id = reader.text()
      this.#waiting.set(id, { probabilities: reader.float32(), labelled: reader.uint8() })
    }
  }

  #firstRow(row: number, rows: number, probabilities: Float32Array): Waiting {
    const own = new Float32Array(this.#tasks)
    for (let task = 0; task < this.#tasks; task++) own[task] = probabilities[task * rows + row]!
    return { probabilities: own, labelled: new Uint8Array(this.#tasks) }
  }
}
