/** @file Live progressive validation: per task, quality over the last samples and since the start, each scored before it was learned (law 1). */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Stage } from '../stage.ts'
import { addSample, measureQuality, noSamples, type QualitySums, qualityOf } from './quality.ts'
import { type ReliabilityBin, reliabilityBins } from './reliability.ts'
import type { Quality, TaskQuality } from './report.ts'
import type { ScoredBatch } from './scored-batch.ts'

/** What is measured. */
export interface ProgressiveOptions {
  /** Task names, in task order. */
  readonly tasks: readonly string[]
  /** Labelled samples per task in the window. */
  readonly window?: number
  /** Per task how many negatives one stands for, where negatives are sampled; absent: itself. */
  readonly negativeWeights?: readonly number[] | undefined
}

/** The last labelled samples of one task: a ring whose next place is `samples % window`. */
interface TaskState {
  readonly task: string
  readonly negativeWeight: number
  readonly sums: QualitySums
  readonly probabilities: Float32Array
  readonly labels: Float32Array
}

/** Sums run in sample order, so the figures do not depend on how the samples were cut into batches. */
export class Progressive implements Stage {
  readonly #window: number
  readonly #tasks: readonly TaskState[]

  constructor({ tasks, window = 20_000, negativeWeights }: ProgressiveOptions) {
    this.#window = window
    this.#tasks = tasks.map((task, index) => ({
      task,
      negativeWeight: negativeWeights?.[index] ?? 1,
      sums: noSamples(),
      probabilities: new Float32Array(window),
      labels: new Float32Array(window),
    }))
  }

  /** Takes in the predictions of one batch. Labels above 0 are positives. */
  observe(batch: ScoredBatch): void {
    this.#tasks.forEach((state, task) => {
      for (let row = 0; row < batch.rows; row++) {
        const at = task * batch.rows + row
        if (batch.mask[at]! === 0) continue
        const label = batch.labels[at]! > 0 ? 1 : 0
        const place = state.sums.samples % this.#window
        state.probabilities[place] = batch.probabilities[at]!
        state.labels[place] = label
        const weight = label > 0 ? 1 : state.negativeWeight
        addSample(state.sums, batch.probabilities[at]!, label, weight)
      }
    })
  }

  /** The figures now. O(window log window) per task: call it when somebody looks, not per batch. */
  quality(): readonly TaskQuality[] {
    return this.#tasks.map(({ task, negativeWeight, sums, ...last }) => {
      const kept = Math.min(sums.samples, this.#window)
      const probabilities = last.probabilities.subarray(0, kept)
      const window = measureQuality(probabilities, last.labels.subarray(0, kept), negativeWeight)
      return { task, window, total: qualityOf(sums) }
    })
  }

  /** The figures of each task's last `samples` labelled samples, at most a window of them; in task order. */
  recent(samples: number): readonly Quality[] {
    return this.#tasks.map(({ sums, probabilities, labels }) => {
      const kept = Math.min(sums.samples, this.#window, samples)
      const first = (sums.samples - kept) % this.#window
      const pick = (values: Float32Array): Float32Array => {
        const picked = new Float32Array(kept)
        const ahead = values.subarray(first, Math.min(this.#window, first + kept))
        picked.set(ahead)
        picked.set(values.subarray(0, kept - ahead.length), ahead.length)
        return picked
      }
      return measureQuality(pick(probabilities), pick(labels))
    })
  }

  /** The calibration curve of every task over its window. */
  reliability(): readonly (readonly ReliabilityBin[])[] {
    return this.#tasks.map(({ sums, probabilities, labels }) => {
      const kept = Math.min(sums.samples, this.#window)
      return reliabilityBins(probabilities.subarray(0, kept), labels.subarray(0, kept))
    })
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter().u32(this.#window).u32(this.#tasks.length)
    for (const { sums, probabilities, labels } of this.#tasks) {
      const kept = Math.min(sums.samples, this.#window)
      writer.f64(sums.samples).f64(sums.weight).f64(sums.positives)
      writer.f64(sums.probability).f64(sums.logloss)
      writer.array(probabilities.subarray(0, kept)).array(labels.subarray(0, kept))
    }
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    const window = reader.u32()
    const tasks = reader.u32()
    if (window !== this.#window || tasks !== this.#tasks.length) {
      throw new MillraceError(
        'CORRUPT',
        `quality of ${tasks} tasks over ${window} samples, not of ${this.#tasks.length} over ${this.#window}`,
      )
    }
    for (const { sums, probabilities, labels } of this.#tasks) {
      sums.samples = reader.f64()
      sums.weight = reader.f64()
      sums.positives = reader.f64()
      sums.probability = reader.f64()
      sums.logloss = reader.f64()
      probabilities.set(reader.float32())
      labels.set(reader.float32())
    }
  }
}
