/**
 * @file What one of several trainers has changed since they last met, and their meeting: all add all changes to the weights that
 * they started from, in the same order, and go on with the same weights (local updates, summed: Stich 2019, algorithm 1, without the mean).
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { BatchKeys } from '../embeddings/batch-keys.ts'
import { KEY_WORDS, type TableColumns } from '../embeddings/columns.ts'
import { slotOf } from '../embeddings/row-slot.ts'
import { EmbeddingTable } from '../embeddings/table.ts'
import { restoreTable, snapshotTable } from '../embeddings/table-snapshot.ts'
import type { EncodedFeatures } from '../features/encoded-batch.ts'
import type { Parameters } from '../model/parameters.ts'
import type { Stage } from '../stage.ts'

/** Neighbouring floats of a record that are exchanged. */
interface WordRange {
  readonly from: number
  readonly to: number
}

/**
 * Values, and optimizer state that is a sum over gradients (Adagrad, FTRL). Adam's moments, accumulators that
 * forget and what a balancer remembers are running means: each trainer keeps its own.
 */
function exchangedRanges({ groups }: TableColumns): readonly WordRange[] {
  return groups.flatMap(({ valueAt, width, stateAt, memoryAt, optimizer }) => {
    const values = { from: valueAt, to: valueAt + width }
    return optimizer?.summable !== true ? [values] : [values, { from: stateAt, to: memoryAt }]
  })
}

/** The weights as they were when the trainers met, of everything that was touched since. */
export class WeightExchange implements Stage {
  readonly #table: EmbeddingTable
  readonly #parameters: Parameters
  readonly #ranges: readonly WordRange[]
  readonly #width: number
  readonly #keys = new BatchKeys()
  #baseRows: EmbeddingTable
  #baseDense: Float32Array
  #touched = false

  constructor(table: EmbeddingTable, parameters: Parameters) {
    this.#table = table
    this.#parameters = parameters
    this.#ranges = exchangedRanges(table.columns)
    this.#width = this.#ranges.reduce((sum, { from, to }) => sum + to - from, 0)
    this.#baseRows = new EmbeddingTable(table.columns)
    this.#baseDense = parameters.values.slice()
  }

  /** Before a batch is learned from: remembers the rows that it can change. An id without a row starts from its initial vector. */
  touch(features: EncodedFeatures): void {
    this.#touched = true
    this.#keys.collect(features.slots)
    const rows = new Int32Array(this.#keys.count)
    this.#table.find(this.#keys, rows)
    for (let i = 0; i < rows.length; i++) {
      const before = this.#baseRows.rows
      const base = this.#baseRows.insertOne(this.#keys.hi[i]!, this.#keys.lo[i]!)
      if (base < before || rows[i]! < 0) continue
      this.#baseRows.record(base).set(this.#table.record(rows[i]!))
    }
  }

  /** What changed since the last meeting; no bytes when nothing was learned. */
  delta(): Uint8Array {
    if (!this.#touched) return new Uint8Array(0)
    const keys: number[] = []
    const slots: number[] = []
    const changes: number[] = []
    for (let base = 0; base < this.#baseRows.rows; base++) {
      const before = wordsOf(this.#baseRows, base)
      const [hi, lo] = this.#baseRows.keyOf(base)
      const row = this.#table.findOne(hi, lo)
      if (row < 0) continue
      const now = wordsOf(this.#table, row)
      keys.push(hi, lo)
      if (this.#table.columns.slotAt !== undefined) slots.push(slotOf(this.#table, row))
      for (const { from, to } of this.#ranges) {
        for (let at = from; at < to; at++) changes.push(now[at]! - before[at]!)
      }
    }
    const dense = this.#parameters.values.map((value, i) => value - this.#baseDense[i]!)
    const writer = new ByteWriter(changes.length * 4 + dense.byteLength + keys.length * 4 + 64)
    return writer
      .array(Uint32Array.from(keys))
      .array(Uint32Array.from(slots))
      .array(Float32Array.from(changes))
      .array(dense)
      .finish()
  }

  /** The meeting: `deltas` of all trainers, this one's among them, in the order of their places. */
  meet(deltas: readonly Uint8Array[]): void {
    this.#goBack()
    for (const delta of deltas) if (delta.length > 0) this.#add(delta)
    this.#baseRows = new EmbeddingTable(this.#table.columns)
    this.#baseDense = this.#parameters.values.slice()
    this.#touched = false
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(this.#baseDense.byteLength + 1024).text('weight-exchange 1')
    writer.u8(this.#touched ? 1 : 0).array(this.#baseDense)
    return writer.bytes(snapshotTable(this.#baseRows)).finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('weight-exchange 1')
    this.#touched = reader.u8() === 1
    this.#baseDense = reader.float32()
    this.#baseRows = new EmbeddingTable(this.#table.columns)
    restoreTable(this.#baseRows, reader.bytes())
    reader.end()
  }

  /** To the weights of the last meeting: sums start there, or they would depend on whose they are. */
  #goBack(): void {
    this.#parameters.values.set(this.#baseDense)
    for (let base = 0; base < this.#baseRows.rows; base++) {
      const before = wordsOf(this.#baseRows, base)
      const row = this.#table.findOne(...this.#baseRows.keyOf(base))
      if (row < 0) continue
      this.#table.edit(row, (record, start) => {
        for (const { from, to } of this.#ranges) record.set(before.subarray(from, to), start + from)
      })
    }
  }

  #add(delta: Uint8Array): void {
    const reader = new ByteReader(delta)
    const keys = reader.uint32()
    const slots = reader.uint32()
    const changes = reader.float32()
    const dense = reader.float32()
    reader.end()
    const { slotAt } = this.#table.columns
    for (let i = 0; i < keys.length / KEY_WORDS; i++) {
      const row = this.#table.insertOne(keys[2 * i]!, keys[2 * i + 1]!)
      if (slotAt !== undefined) this.#table.writeWords(row, slotAt, 1, slots, i)
      this.#table.edit(row, (record, start) => {
        let change = i * this.#width
        for (const { from, to } of this.#ranges) {
          for (let at = start + from; at < start + to; at++)
            record[at] = record[at]! + changes[change++]!
        }
      })
    }
    const { values } = this.#parameters
    for (let i = 0; i < values.length; i++) values[i] = values[i]! + dense[i]!
  }
}

/** The record as floats; the first two are the words of the key and no numbers. */
function wordsOf(table: EmbeddingTable, row: number): Float32Array {
  const { buffer, byteOffset, byteLength } = table.record(row)
  return new Float32Array(buffer, byteOffset, byteLength / 4)
}
