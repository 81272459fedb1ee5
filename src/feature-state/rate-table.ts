/**
 * @file Streaming rates: per key, half-life and task the labels and the positives so far, each counting half after its half-life
 * of event time. A rate enters the model as its distance from the stream's, in log-odds, smoothed towards it.
 */

import type { DietOptions } from '../embeddings/diet-options.ts'
import type { EmbeddingTable } from '../embeddings/table.ts'
import type { SlotKeys } from '../features/encoded-batch.ts'
import { hashBytes } from '../features/hash.ts'
import { hoursToMs, type RateOptions } from '../features/state-options.ts'
import type { EventTime } from '../time.ts'
import { rowOf, stateTable } from './state-table.ts'
import { readTime, TIME_COLUMNS, writeTime } from './stored-time.ts'

/** Labels of one sample, by the order of the feature's tasks. */
export interface RateLabels {
  readonly labels: Float32Array
  /** 0 where the label is not known; 1 where it is, more where it stands for others that were left out. */
  readonly weights: Float32Array
}

/** What a key without labels has, as the stream itself at its start: half a positive of one. */
const FIRST_POSITIVES = 0.5
const FIRST_LABELS = 1

/**
 * A row holds the time of its counts, then positives and labels for each half-life and task. With P positives of N labels, all
 * decayed to the impression's time, s the smoothing and b the stream's rate by the same half-life:
 * input = log((P + s b) / (N - P + s (1 - b))) - log(b / (1 - b)); of a bag the mean over its keys.
 */
export class RateTable {
  readonly table: EmbeddingTable
  readonly columns: number
  readonly #tasks: number
  readonly #halfLivesMs: readonly number[]
  readonly #smoothing: number
  readonly #counts: boolean
  /** The key of the stream as a whole: the hash of no bytes, which no combination of keys has. */
  readonly #stream = { hi: 0, lo: 0 }
  /** Of the stream, for each half-life and task: rate, and its log-odds. */
  readonly #base: Float64Array

  constructor(options: RateOptions, seed: number, diet?: DietOptions) {
    const { tasks, half_life_hours: hours, smoothing, counts } = options
    this.#tasks = tasks.length
    this.#halfLivesMs = hours.map(hoursToMs)
    this.#smoothing = smoothing
    this.#counts = counts
    this.columns = hours.length * (tasks.length + (counts ? 1 : 0))
    this.table = stateTable(TIME_COLUMNS + 2 * hours.length * tasks.length, diet)
    this.#base = new Float64Array(2 * hours.length * tasks.length)
    hashBytes(new Uint8Array(0), 0, seed, this.#stream)
  }

  /** Writes the columns of one row's keys at a time: 0 for keys without labels. */
  read(keys: SlotKeys, row: number, time: EventTime, out: Float32Array, at: number): void {
    const from = keys.starts[row]!
    const to = keys.starts[row + 1]!
    out.fill(0, at, at + this.columns)
    let basis = false
    for (let k = from; k < to; k++) {
      const found = this.table.findOne(keys.hi[k]!, keys.lo[k]!)
      if (found < 0) continue
      if (!basis) this.#readBase()
      basis = true
      this.#add(this.table.valuesOf(found), time, out, at, 1 / (to - from))
    }
  }

  /**
   * Counts the labels (numbers from 0 to 1) of the tasks that are known, for every key of the row and for the stream. A task may be
   * masked per key: `allowed` is asked with the key's place, and what it masks is missing from the key, not from the stream.
   */
  learn(
    keys: SlotKeys,
    row: number,
    time: EventTime,
    known: RateLabels,
    allowed?: (at: number, known: RateLabels) => RateLabels,
  ): void {
    for (let k = keys.starts[row]!; k < keys.starts[row + 1]!; k++) {
      this.#count(keys.hi[k]!, keys.lo[k]!, time, allowed?.(k, known) ?? known)
    }
    this.#count(this.#stream.hi, this.#stream.lo, time, known)
  }

  #count(hi: number, lo: number, time: EventTime, { labels, weights }: RateLabels): void {
    if (weights.every((weight) => weight === 0)) return
    const fresh = this.table.findOne(hi, lo) < 0
    const row = rowOf(this.table, hi, lo)
    if (row < 0) return
    const values = this.table.changeValuesOf(row)
    const before = fresh ? time : readTime(values, 0)
    const now = Math.max(before, time)
    for (let h = 0; h < this.#halfLivesMs.length; h++) {
      const halfLife = this.#halfLivesMs[h]!
      const kept = 2 ** ((before - now) / halfLife)
      // A label of the past has decayed already.
      const weight = 2 ** ((time - now) / halfLife)
      for (let task = 0; task < this.#tasks; task++) {
        const at = TIME_COLUMNS + 2 * (h * this.#tasks + task)
        const added = weights[task]! * weight
        values[at] = values[at]! * kept + added * labels[task]!
        values[at + 1] = values[at + 1]! * kept + added
      }
    }
    writeTime(values, 0, now)
  }

  /** Decay cancels in the stream's rate, so it does not depend on the time. */
  #readBase(): void {
    const row = this.table.findOne(this.#stream.hi, this.#stream.lo)
    const values = row < 0 ? undefined : this.table.valuesOf(row)
    for (let i = 0; i < this.#base.length; i += 2) {
      const positives = (values?.[TIME_COLUMNS + i] ?? 0) + FIRST_POSITIVES
      const labels = (values?.[TIME_COLUMNS + i + 1] ?? 0) + FIRST_LABELS
      const rate = positives / labels
      this.#base[i] = rate
      this.#base[i + 1] = Math.log(rate / (1 - rate))
    }
  }

  /** Adds `share` times the columns of one key. */
  #add(values: Float32Array, time: EventTime, out: Float32Array, at: number, share: number): void {
    const elapsed = Math.max(0, time - readTime(values, 0))
    let column = at
    for (let h = 0; h < this.#halfLivesMs.length; h++) {
      const kept = 2 ** (-elapsed / this.#halfLivesMs[h]!)
      const first = 2 * h * this.#tasks
      for (let i = first; i < first + 2 * this.#tasks; i += 2) {
        const positives = values[TIME_COLUMNS + i]! * kept
        const negatives = values[TIME_COLUMNS + i + 1]! * kept - positives
        const prior = this.#smoothing * this.#base[i]!
        const odds = (positives + prior) / (negatives + this.#smoothing - prior)
        out[column] = out[column]! + share * (Math.log(odds) - this.#base[i + 1]!)
        column += 1
      }
      if (!this.#counts) continue
      out[column] = out[column]! + share * Math.log1p(values[TIME_COLUMNS + first + 1]! * kept)
      column += 1
    }
  }
}
