/** @file Every prequential prediction of a run, kept so that the final report is exact: an append-only log in typed-array chunks. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Stage } from '../stage.ts'
import { measureQuality } from './quality.ts'
import type { Quality } from './report.ts'
import type { ScoredBatch } from './scored-batch.ts'

/** Rows whose chunk starts at a multiple of the chunk size; row-major, `tasks` entries per row. */
interface Chunk {
  readonly probabilities: Float32Array
  readonly outcomes: Uint8Array
}

/** What is known of a label, as one byte. */
const UNKNOWN = 0
const NEGATIVE = 1
const POSITIVE = 2

const PART_FORMAT = 1

/** How much is kept. */
export interface PredictionLogOptions {
  /** Task names, in task order. */
  readonly tasks: readonly string[]
  /** Rows kept at most, rounded up to whole chunks; older rows are dropped chunk by chunk, their count is kept. */
  readonly capacity?: number
  readonly chunkRows?: number
  /** Per task how many negatives one stands for, where negatives are sampled; absent: itself. */
  readonly negativeWeights?: readonly number[] | undefined
}

/** Quality of one task over the reported rows; `samples` counts rows where the task's label is known. */
export interface PredictionReport extends Quality {
  readonly task: string
}

/** Five bytes per row and task. Its content depends on the rows only, not on how they were cut into batches. */
export class PredictionLog implements Stage {
  readonly #tasks: readonly string[]
  readonly #capacity: number
  readonly #chunkRows: number
  readonly #negativeWeights: readonly number[] | undefined
  #chunks: Chunk[] = []
  #rows = 0
  #firstKept = 0

  constructor(options: PredictionLogOptions) {
    const { tasks, capacity = 4_194_304, chunkRows = 65_536, negativeWeights } = options
    this.#negativeWeights = negativeWeights
    this.#tasks = tasks
    this.#capacity = capacity
    this.#chunkRows = chunkRows
  }

  /** Rows ever appended, dropped ones included. */
  get rows(): number {
    return this.#rows
  }

  /** Index of the oldest row that is still kept. */
  get firstKept(): number {
    return this.#firstKept
  }

  append(batch: ScoredBatch): void {
    const tasks = this.#tasks.length
    for (let row = 0; row < batch.rows; row++) {
      const chunk = this.#chunkForNextRow()
      const to = (this.#rows % this.#chunkRows) * tasks
      for (let task = 0; task < tasks; task++) {
        const from = task * batch.rows + row
        chunk.probabilities[to + task] = batch.probabilities[from]!
        chunk.outcomes[to + task] =
          batch.mask[from]! === 0 ? UNKNOWN : batch.labels[from]! > 0 ? POSITIVE : NEGATIVE
      }
      this.#rows += 1
    }
  }

  /** Quality per task over the kept rows from index `fromFraction` * rows on (0.2: all after the first fifth). */
  report(fromFraction: number): readonly PredictionReport[] {
    const from = Math.max(this.#firstKept, Math.floor(this.#rows * fromFraction))
    return this.#tasks.map((task, index) => {
      const { probabilities, labels } = this.labelled(index, from)
      const negativeWeight = this.#negativeWeights?.[index]
      return { task, ...measureQuality(probabilities, labels, negativeWeight) }
    })
  }

  /** Probabilities and labels of one task's labelled rows with index >= `from`, in order; labels are 0 or 1. */
  labelled(task: number, from: number): { probabilities: Float32Array; labels: Float32Array } {
    const tasks = this.#tasks.length
    const probabilities = new Float32Array(Math.max(0, this.#rows - from))
    const labels = new Float32Array(probabilities.length)
    let count = 0
    for (let row = Math.max(from, this.#firstKept); row < this.#rows; row++) {
      const chunk = this.#chunkOf(row)
      const at = (row % this.#chunkRows) * tasks + task
      const outcome = chunk.outcomes[at]!
      if (outcome === UNKNOWN) continue
      probabilities[count] = chunk.probabilities[at]!
      labels[count] = outcome === POSITIVE ? 1 : 0
      count += 1
    }
    return { probabilities: probabilities.subarray(0, count), labels: labels.subarray(0, count) }
  }

  /**
   * The rows from `index` (or the oldest kept one) on as one part: a checkpoint appends `since(rows at the last one)`
   * and costs only what is new. Parts in order, given to `restoreParts`, are the whole log.
   */
  since(index: number): Uint8Array {
    const tasks = this.#tasks.length
    const from = Math.max(index, this.#firstKept)
    const rows = Math.max(0, this.#rows - from)
    const probabilities = new Float32Array(rows * tasks)
    const outcomes = new Uint8Array(rows * tasks)
    for (let row = from; row < this.#rows; ) {
      const at = row % this.#chunkRows
      const count = Math.min(this.#chunkRows - at, this.#rows - row)
      const chunk = this.#chunkOf(row)
      const to = (row - from) * tasks
      probabilities.set(chunk.probabilities.subarray(at * tasks, (at + count) * tasks), to)
      outcomes.set(chunk.outcomes.subarray(at * tasks, (at + count) * tasks), to)
      row += count
    }
    const writer = new ByteWriter(rows * tasks * 5 + 64)
    return writer
      .u8(PART_FORMAT)
      .u32(tasks)
      .f64(from)
      .f64(rows)
      .array(probabilities)
      .array(outcomes)
      .finish()
  }

  snapshot(): Uint8Array {
    return this.since(this.#firstKept)
  }

  restore(bytes: Uint8Array): void {
    this.restoreParts([bytes])
  }

  /**
   * Replaces the log by consecutive parts; parts that hold only dropped rows may be left out. Throws CORRUPT when a row
   * that must be kept is in none of them.
   */
  restoreParts(parts: readonly Uint8Array[]): void {
    this.#startAt(0)
    let end = 0
    for (const part of parts) end = this.#appendPart(part)
    const firstKept = this.#firstKeptOf(end)
    if (this.#rows === end && this.#firstKept === firstKept) return
    throw new MillraceError('CORRUPT', `predictions from ${firstKept} to ${end} are missing`)
  }

  /** Returns the index after the part's last row. */
  #appendPart(part: Uint8Array): number {
    const reader = new ByteReader(part)
    const format = reader.u8()
    const tasks = reader.u32()
    const from = reader.f64()
    const rows = reader.f64()
    const probabilities = reader.float32()
    const outcomes = reader.uint8()
    const fits = outcomes.length === rows * tasks && probabilities.length === outcomes.length
    if (format !== PART_FORMAT || tasks !== this.#tasks.length || !fits) {
      throw new MillraceError('CORRUPT', `not ${this.#tasks.length} tasks' predictions`)
    }
    const skipped = this.#skipTo(from, rows)
    for (let row = skipped; row < rows; row++) {
      const chunk = this.#chunkForNextRow()
      const to = (this.#rows % this.#chunkRows) * tasks
      chunk.probabilities.set(probabilities.subarray(row * tasks, (row + 1) * tasks), to)
      chunk.outcomes.set(outcomes.subarray(row * tasks, (row + 1) * tasks), to)
      this.#rows += 1
    }
    return from + rows
  }

  /** Goes on at row `from`, or after a gap at the next chunk: rows are dropped by chunks. Returns the rows to leave out. */
  #skipTo(from: number, rows: number): number {
    if (from === this.#rows) return 0
    if (from < this.#rows) {
      throw new MillraceError('CORRUPT', `prediction ${from} again after ${this.#rows}`)
    }
    const start = Math.ceil(from / this.#chunkRows) * this.#chunkRows
    if (start < from + rows) this.#startAt(start)
    return start - from
  }

  #startAt(row: number): void {
    this.#chunks = []
    this.#rows = row
    this.#firstKept = row
  }

  /** What is kept is a function of the row count alone. */
  #firstKeptOf(rows: number): number {
    const lastChunk = Math.floor(Math.max(0, rows - 1) / this.#chunkRows)
    const dropped = lastChunk + 1 - Math.ceil(this.#capacity / this.#chunkRows)
    return Math.max(0, dropped) * this.#chunkRows
  }

  #chunkForNextRow(): Chunk {
    if (this.#rows % this.#chunkRows !== 0) return this.#chunkOf(this.#rows)
    const firstKept = this.#firstKeptOf(this.#rows + 1)
    while (this.#firstKept < firstKept) {
      this.#chunks.shift()
      this.#firstKept += this.#chunkRows
    }
    const size = this.#chunkRows * this.#tasks.length
    const chunk = { probabilities: new Float32Array(size), outcomes: new Uint8Array(size) }
    this.#chunks.push(chunk)
    return chunk
  }

  #chunkOf(row: number): Chunk {
    const chunk = this.#chunks[Math.floor((row - this.#firstKept) / this.#chunkRows)]
    if (chunk === undefined) {
      throw new MillraceError(
        'BAD_STATE',
        `prediction ${row} is not kept (first ${this.#firstKept})`,
      )
    }
    return chunk
  }
}
