/** @file Every prequential prediction of a run, kept so that the final report is exact: an append-only log in typed-array chunks. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Stage } from '../stage.ts'
import { inTurn, type Turn } from '../turn.ts'
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

/** Consecutive rows as bytes have them. */
interface Part {
  readonly tasks: number
  readonly from: number
  readonly rows: number
  readonly probabilities: Float32Array
  readonly outcomes: Uint8Array
}

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
   * The rows from `index` on and the older chunks that have their turn: costs what is new and a share of the rest. Pieces in order,
   * as many as there are turns or all there are, are the whole log to `restorePieces`.
   */
  piece(index: number, turn: Turn): Uint8Array {
    const from = Math.max(index, this.#firstKept)
    const writer = new ByteWriter()
    for (const chunk of inTurn(turn, Math.ceil(from / this.#chunkRows))) {
      const start = Math.max(this.#firstKept, chunk * this.#chunkRows)
      const end = Math.min(from, (chunk + 1) * this.#chunkRows)
      if (start < end) writer.bytes(this.#part(start, end))
    }
    return writer.bytes(this.#part(from, Math.max(from, this.#rows))).finish()
  }

  /** Rows [from, to), which are kept. */
  #part(from: number, to: number): Uint8Array {
    const tasks = this.#tasks.length
    const rows = to - from
    const probabilities = new Float32Array(rows * tasks)
    const outcomes = new Uint8Array(rows * tasks)
    for (let row = from; row < to; ) {
      const at = row % this.#chunkRows
      const count = Math.min(this.#chunkRows - at, to - row)
      const chunk = this.#chunkOf(row)
      const out = (row - from) * tasks
      probabilities.set(chunk.probabilities.subarray(at * tasks, (at + count) * tasks), out)
      outcomes.set(chunk.outcomes.subarray(at * tasks, (at + count) * tasks), out)
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
    return this.#part(this.#firstKept, this.#rows)
  }

  restore(bytes: Uint8Array): void {
    this.#restoreParts([readPart(bytes)])
  }

  /** Replaces the log by what pieces hold. CORRUPT when a row that must be kept is in none of them. */
  restorePieces(pieces: readonly Uint8Array[]): void {
    const parts = pieces.flatMap(partsOf)
    this.#restoreParts(parts.sort((a, b) => a.from - b.from || a.rows - b.rows))
  }

  /** Parts in the order of their first rows; what is in several is the same in all. */
  #restoreParts(parts: readonly Part[]): void {
    this.#startAt(0)
    for (const part of parts) this.#appendPart(part)
    const end = parts.reduce((most, { from, rows }) => Math.max(most, from + rows), 0)
    const firstKept = this.#firstKeptOf(end)
    if (this.#rows === end && this.#firstKept === firstKept) return
    throw new MillraceError('CORRUPT', `predictions from ${firstKept} to ${end} are missing`)
  }

  #appendPart({ tasks, from, rows, probabilities, outcomes }: Part): void {
    if (tasks !== this.#tasks.length) {
      throw new MillraceError('CORRUPT', `predictions of ${tasks} tasks, not ${this.#tasks.length}`)
    }
    for (let row = this.#skipTo(from, rows); row < rows; row++) {
      const chunk = this.#chunkForNextRow()
      const to = (this.#rows % this.#chunkRows) * tasks
      chunk.probabilities.set(probabilities.subarray(row * tasks, (row + 1) * tasks), to)
      chunk.outcomes.set(outcomes.subarray(row * tasks, (row + 1) * tasks), to)
      this.#rows += 1
    }
  }

  /** Goes on at row `from`, or after a gap at the next chunk: rows are dropped by chunks. Returns the rows to leave out. */
  #skipTo(from: number, rows: number): number {
    if (from <= this.#rows) return this.#rows - from
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

function partsOf(piece: Uint8Array): Part[] {
  const reader = new ByteReader(piece)
  const parts: Part[] = []
  while (reader.remaining > 0) parts.push(readPart(reader.bytes()))
  return parts
}

function readPart(bytes: Uint8Array): Part {
  const reader = new ByteReader(bytes)
  const format = reader.u8()
  const tasks = reader.u32()
  const [from, rows] = [reader.f64(), reader.f64()]
  const [probabilities, outcomes] = [reader.float32(), reader.uint8()]
  const fits = outcomes.length === rows * tasks && probabilities.length === outcomes.length
  if (format === PART_FORMAT && fits) return { tasks, from, rows, probabilities, outcomes }
  throw new MillraceError('CORRUPT', `not predictions of ${tasks} tasks`)
}
