/** @file Between encoded features and the model: rows to pooled vectors per slot, and their gradient back to one gradient per row. */

import { MillraceError } from '../errors.ts'
import {
  type EncodedFeatures,
  isHistory,
  type Pooling,
  type SlotKeys,
} from '../features/encoded-batch.ts'
import type { RowKernels } from '../row-kernels.ts'
import { attend, attendBackward, type Vectors } from './attention-pooling.ts'
import { BatchKeys } from './batch-keys.ts'
import { type ColumnGroup, KEY_WORDS } from './columns.ts'
import { readMemory, writeMemory } from './row-memory.ts'
import { writeSlots } from './row-slot.ts'
import type { EmbeddingTable } from './table.ts'

/** Changes values that were read, in place: those of row rows[i], -1 for a key without one, at values[i * width ..]. */
export type ValuesEdit = (rows: Int32Array, count: number, values: Float32Array) => void

/** How the rows of a lookup are found and stepped. */
export interface LookupOptions {
  /** Multiples of the optimizers' learning rates, by slot; absent: 1 for all. */
  readonly slotRates?: readonly number[] | undefined
  /** The engine's; absent: in JavaScript. */
  readonly kernels?: RowKernels | undefined
}

/**
 * One batch at a time: `bind` it, `forward` per column group, and, when it is learned from, `insert` once and then
 * `backward` and `update` per group. Scratch memory is reused, so results are valid until the next `bind`.
 */
export class PooledLookup {
  readonly #table: EmbeddingTable
  readonly #options: LookupOptions
  readonly #keys = new BatchKeys()
  #features: EncodedFeatures | undefined
  #rows = new Int32Array(0)
  #values = new Float32Array(0)

  constructor(table: EmbeddingTable, options: LookupOptions = {}) {
    this.#table = table
    this.#options = options
  }

  /** Distinct ids of the batch; gradients have one row for each, in order of first occurrence (slot by slot). */
  get distinct(): number {
    return this.#keys.count
  }

  /**
   * Reads the rows of the batch's ids as they stand, or as `edit` leaves the values; inserts nothing. Returns how many distinct ids
   * have no row yet.
   */
  bind(features: EncodedFeatures, edit?: ValuesEdit): number {
    this.#features = features
    this.#keys.collect(features.slots)
    if (this.#rows.length < this.distinct) {
      this.#rows = new Int32Array(this.distinct * 2)
      this.#values = new Float32Array(this.#rows.length * this.#table.columns.width)
    }
    const { kernels } = this.#options
    const unseen = this.#table.lookUp(this.#keys, this.#rows, this.#values, kernels)
    edit?.(this.#rows, this.distinct, this.#values)
    return unseen
  }

  /**
   * Writes the pooled vector of every slot, from the values that `bind` read: x is [rows, slots x group.width],
   * row-major, overwritten.
   */
  forward(group: ColumnGroup, x: Float32Array): void {
    const features = this.#bound()
    const { width } = group
    const values = this.#values
    const valueStride = this.#table.columns.width
    const valueAt = group.valueAt - KEY_WORDS
    const stride = features.slots.length * width
    x.fill(0, 0, features.rows * stride)
    let occurrence = 0
    for (let s = 0; s < features.slots.length; s++) {
      const { hi, starts, pooling } = features.slots[s]!
      if (isApart(pooling, group)) {
        this.#eachHistory(s, group, (row, query, keys) =>
          attend(this.#vectors(group), query, keys, x, row * stride + s * width),
        )
        occurrence += hi.length
        continue
      }
      for (let row = 0; row < features.rows; row++) {
        const at = row * stride + s * width
        const count = starts[row + 1]! - starts[row]!
        const share = isMean(pooling) ? 1 / count : 1
        for (let k = 0; k < count; k++) {
          const value = this.#keys.occurrences[occurrence++]! * valueStride + valueAt
          for (let c = 0; c < width; c++) x[at + c]! += share * values[value + c]!
        }
      }
    }
  }

  /** Gives every id of the batch a row; returns how many are new. After the prediction, before `update`. */
  insert(): number {
    this.#bound()
    for (let i = 0; i < this.distinct; i++) {
      if (this.#rows[i]! >= 0) this.#table.touch(this.#rows[i]!)
    }
    const before = this.#rows.slice(0, this.distinct)
    const added = this.#table.insertUnseen(this.#keys, this.#rows)
    writeSlots(this.#table, this.#keys, before, this.#rows)
    return added
  }

  /**
   * Sums dx, the gradient of `forward`'s x, per distinct id: gradient is [distinct, group.width], overwritten.
   * An id that occurs twice gets both. The order of summation is that of the batch, so the bytes are the same each time.
   */
  backward(group: ColumnGroup, dx: Float32Array, gradient: Float32Array): void {
    const features = this.#bound()
    const { width } = group
    gradient.fill(0, 0, this.distinct * width)
    const stride = features.slots.length * width
    let occurrence = 0
    for (let s = 0; s < features.slots.length; s++) {
      const { hi, starts, pooling } = features.slots[s]!
      if (isApart(pooling, group)) {
        this.#eachHistory(s, group, (row, query, keys) => {
          const from = row * stride + s * width
          attendBackward(this.#vectors(group), { query, keys }, dx, from, gradient)
        })
        occurrence += hi.length
        continue
      }
      for (let row = 0; row < features.rows; row++) {
        const from = row * stride + s * width
        const count = starts[row + 1]! - starts[row]!
        const share = isMean(pooling) ? 1 / count : 1
        for (let k = 0; k < count; k++) {
          const at = this.#keys.occurrences[occurrence++]! * width
          for (let c = 0; c < width; c++) gradient[at + c]! += share * dx[from + c]!
        }
      }
    }
  }

  /** What is remembered beside each distinct id's row: [distinct, group.memory], zeros for an id without a row. */
  readMemory(group: ColumnGroup, out: Float32Array): void {
    readMemory(this.#table, group, this.#rows, out)
  }

  /** Writes it back, after `insert`. */
  writeMemory(group: ColumnGroup, values: Float32Array): void {
    writeMemory(this.#table, group, this.#rows, values)
  }

  /**
   * One sparse optimizer step with the gradient that `backward` gave, scaled or combined as the caller likes; `factor` times
   * the learning rate.
   */
  update(group: ColumnGroup, gradient: Float32Array, factor = 1): void {
    const { slotRates, kernels } = this.#options
    if (slotRates === undefined) {
      const rows = this.#rows.subarray(0, this.distinct)
      this.#table.update(group, rows, gradient, { factor, kernels })
      return
    }
    for (const [slot, rate] of slotRates.entries()) {
      const from = this.#keys.slotEnds[slot - 1] ?? 0
      const to = this.#keys.slotEnds[slot] ?? from
      const part = gradient.subarray(from * group.width)
      const step = { factor: factor * rate, kernels }
      this.#table.update(group, this.#rows.subarray(from, to), part, step)
    }
  }

  /** The vectors of the distinct ids, as `bind` read them. */
  #vectors(group: ColumnGroup): Vectors {
    const { width: stride } = this.#table.columns
    return { values: this.#values, stride, at: group.valueAt - KEY_WORDS, width: group.width }
  }

  /** Every row with a history that the group takes part in: the distinct id of its query, and those of the history. */
  #eachHistory(
    slot: number,
    group: ColumnGroup,
    visit: (row: number, query: number, keys: Int32Array) => void,
  ): void {
    if (group.histories === 'left out') return
    const { rows, slots } = this.#bound()
    const { starts, query = 0 } = slots[slot]!
    const first = firstOccurrence(slots, slot)
    const queries = firstOccurrence(slots, query)
    const { occurrences } = this.#keys
    for (let row = 0; row < rows; row++) {
      const keys = occurrences.subarray(first + starts[row]!, first + starts[row + 1]!)
      if (keys.length > 0) visit(row, occurrences[queries + row]!, keys)
    }
  }

  #bound(): EncodedFeatures {
    if (this.#features !== undefined) return this.#features
    throw new MillraceError('BAD_STATE', 'no batch is bound to the lookup', {
      remedy: 'call bind(features) first',
    })
  }
}

/** Slots that are not summed key by key: attention, and histories in a linear part. */
function isApart(pooling: Pooling, group: ColumnGroup): boolean {
  return pooling === 'history-attention' || (isHistory(pooling) && group.histories === 'left out')
}

function isMean(pooling: Pooling): boolean {
  return pooling === 'mean' || pooling === 'history-mean'
}

function firstOccurrence(slots: readonly SlotKeys[], slot: number): number {
  return slots.slice(0, slot).reduce((sum, { hi }) => sum + hi.length, 0)
}
