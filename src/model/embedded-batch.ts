/** @file Encoded features -> the arrays a model reads: pooled embeddings per slot, the summed linear weights, dense inputs. */

import { type ColumnGroup, columnGroup } from '../embeddings/columns.ts'
import { type LookupOptions, PooledLookup, type ValuesEdit } from '../embeddings/pooled-lookup.ts'
import type { EmbeddingTable } from '../embeddings/table.ts'
import type { EncodedFeatures } from '../features/encoded-batch.ts'
import type { Tape } from '../tensors/tape.ts'
import type { Model, ModelInput } from './model.ts'
import { EMBEDDING_COLUMNS, WIDE_COLUMNS } from './table-columns.ts'

/** Inputs of one forward pass; views on scratch memory that the next batch overwrites. */
export interface ForwardInput {
  readonly rows: number
  readonly tasks: number
  /** [rows, xWidth], field-major. */
  readonly x: Float32Array
  readonly xWidth: number
  /** [rows, tasks]; absent in a model without a wide part. */
  readonly wide: Float32Array | undefined
  /** [rows, denseWidth]. */
  readonly dense: Float32Array
  readonly denseWidth: number
  /** Memory for the gradient of x, as large as x: new memory for every batch would cost more than the copying. */
  readonly dx?: Float32Array
}

/** The arrays on a tape; x and the wide sums can be differentiated by. */
export function modelInput(tape: Tape, input: ForwardInput): ModelInput {
  const { rows, tasks, x, xWidth, wide, dense, denseWidth } = input
  return {
    x: tape.leaf(x, [rows, xWidth]),
    ...(denseWidth === 0 ? {} : { dense: tape.constant(dense, [rows, denseWidth]) }),
    ...(wide === undefined ? {} : { wide: tape.leaf(wide, [rows, tasks]) }),
  }
}

/**
 * The table as one model sees it. One batch at a time: `read`, and, when it is learned from, `collect`, `insert` and `step`;
 * up to `insert` the table is not changed.
 */
export class EmbeddedBatch {
  readonly #lookup: PooledLookup
  readonly #deep: ColumnGroup
  readonly #wide: ColumnGroup | undefined
  readonly #tasks: number
  /** Columns of an id that all tasks train: all of them, or the last slice where every task has its own (STEM). */
  readonly #sharedWidth: number
  #x: Float32Array = new Float32Array(0)
  #dx: Float32Array = new Float32Array(0)
  #slotWeights: Float32Array = new Float32Array(0)
  #wideSums: Float32Array = new Float32Array(0)
  #gradient: Float32Array = new Float32Array(0)
  #wideGradient: Float32Array = new Float32Array(0)
  #hasWideGradient = false

  constructor(table: EmbeddingTable, model: Model, options: LookupOptions = {}) {
    this.#lookup = new PooledLookup(table, options)
    this.#deep = columnGroup(table.columns, EMBEDDING_COLUMNS)
    this.#wide = model.wide ? columnGroup(table.columns, WIDE_COLUMNS) : undefined
    this.#tasks = model.shape.tasks.length
    this.#sharedWidth = model.shape.dim
  }

  /** `edit` sees the values before they are pooled: rounded, for a probe of what is published. */
  read(features: EncodedFeatures, edit?: ValuesEdit): ForwardInput {
    this.#lookup.bind(features, edit)
    const { rows, slots, dense, denseWidth } = features
    const xWidth = slots.length * this.#deep.width
    this.#x = atLeast(this.#x, rows * xWidth)
    this.#dx = atLeast(this.#dx, rows * xWidth)
    this.#lookup.forward(this.#deep, this.#x)
    return {
      rows,
      tasks: this.#tasks,
      x: this.#x.subarray(0, rows * xWidth),
      xWidth,
      wide: this.#wide === undefined ? undefined : this.#sumWide(this.#wide, rows, slots.length),
      dense,
      denseWidth,
      dx: this.#dx.subarray(0, rows * xWidth),
    }
  }

  /** Distinct ids of the batch. */
  get distinct(): number {
    return this.#lookup.distinct
  }

  /** Columns per id in `sharedRows`. */
  get sharedWidth(): number {
    return this.#sharedWidth
  }

  /** Whether all tasks train every column of an id, so that `replaceShared` leaves nothing of what `collect` found. */
  get allShared(): boolean {
    return this.#sharedWidth === this.#deep.width
  }

  /** Sums the gradients of `x` and `wide` per distinct id: what `step` will take. */
  collect(
    features: EncodedFeatures,
    dx: ArrayLike<number> | undefined,
    dWide: ArrayLike<number> | undefined,
  ): void {
    const length = this.distinct * this.#deep.width
    this.#gradient = atLeast(this.#gradient, length)
    if (dx === undefined) this.#gradient.fill(0, 0, length)
    else this.#lookup.backward(this.#deep, float32(dx), this.#gradient)
    this.#hasWideGradient = this.#wide !== undefined && dWide !== undefined
    if (this.#wide === undefined || dWide === undefined) return
    this.#wideGradient = atLeast(this.#wideGradient, this.distinct * this.#wide.width)
    this.#lookup.backward(this.#wide, this.#spreadWide(features, dWide), this.#wideGradient)
  }

  /** The same per task, of the shared columns alone: [distinct, T, sharedWidth]. An absent gradient is zero. */
  sharedRows(taskGradients: readonly (ArrayLike<number> | undefined)[]): Float32Array {
    const tasks = taskGradients.length
    const { width } = this.#deep
    const rows = new Float32Array(this.distinct * tasks * this.#sharedWidth)
    const whole = new Float32Array(this.distinct * width)
    for (const [task, dx] of taskGradients.entries()) {
      if (dx === undefined) continue
      this.#lookup.backward(this.#deep, float32(dx), whole)
      for (let i = 0; i < this.distinct; i++) {
        // Plain loops: for so few columns a view costs more than the copying.
        const to = (i * tasks + task) * this.#sharedWidth
        const from = (i + 1) * width - this.#sharedWidth
        for (let c = 0; c < this.#sharedWidth; c++) rows[to + c] = whole[from + c]!
      }
    }
    return rows
  }

  /** Puts other gradients of the shared columns, [distinct, sharedWidth], in the place of those that `collect` found. */
  replaceShared(rows: Float32Array): void {
    const { width } = this.#deep
    for (let i = 0; i < this.distinct; i++) {
      const from = i * this.#sharedWidth
      const to = (i + 1) * width - this.#sharedWidth
      for (let c = 0; c < this.#sharedWidth; c++) this.#gradient[to + c] = rows[from + c]!
    }
  }

  /** What the table remembers beside each distinct id: [distinct, memory], zeros for an unseen one. */
  memory(): Float32Array {
    const values = new Float32Array(this.distinct * this.#deep.memory)
    this.#lookup.readMemory(this.#deep, values)
    return values
  }

  /** Gives unseen ids of the batch their rows: after the prediction, before `step`. */
  insert(): void {
    this.#lookup.insert()
  }

  /** One sparse step with the collected gradients and `factor` times the learning rates; `memory` is what to remember from now on. */
  step(factor: number, memory?: Float32Array): void {
    this.#lookup.update(this.#deep, this.#gradient, factor)
    if (memory !== undefined) this.#lookup.writeMemory(this.#deep, memory)
    if (this.#wide !== undefined && this.#hasWideGradient) {
      this.#lookup.update(this.#wide, this.#wideGradient, factor)
    }
  }

  /** Every slot of a row added its weight to the same sum, so each gets the sum's gradient. */
  #spreadWide(features: EncodedFeatures, dWide: ArrayLike<number>): Float32Array {
    const slots = features.slots.length
    this.#slotWeights = atLeast(this.#slotWeights, features.rows * slots * this.#tasks)
    for (let row = 0; row < features.rows; row++) {
      for (let slot = 0; slot < slots; slot++) {
        for (let task = 0; task < this.#tasks; task++) {
          this.#slotWeights[(row * slots + slot) * this.#tasks + task] =
            dWide[row * this.#tasks + task]!
        }
      }
    }
    return this.#slotWeights
  }

  #sumWide(group: ColumnGroup, rows: number, slots: number): Float32Array {
    this.#slotWeights = atLeast(this.#slotWeights, rows * slots * this.#tasks)
    this.#lookup.forward(group, this.#slotWeights)
    this.#wideSums = atLeast(this.#wideSums, rows * this.#tasks)
    const sums = this.#wideSums.subarray(0, rows * this.#tasks).fill(0)
    for (let row = 0; row < rows; row++) {
      for (let slot = 0; slot < slots; slot++) {
        for (let task = 0; task < this.#tasks; task++) {
          const at = row * this.#tasks + task
          sums[at] = sums[at]! + this.#slotWeights[(row * slots + slot) * this.#tasks + task]!
        }
      }
    }
    return sums
  }
}

function atLeast(scratch: Float32Array, length: number): Float32Array {
  return scratch.length >= length ? scratch : new Float32Array(length * 2)
}

function float32(values: ArrayLike<number>): Float32Array {
  return values instanceof Float32Array ? values : Float32Array.from(values)
}
