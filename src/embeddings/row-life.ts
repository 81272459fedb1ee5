/**
 * @file What decides whether a key has a row: admission (count, chance, room), and which rows are given up (age, score). All of
 * it follows from the order of events, never from a clock or a draw.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { mix32 } from '../random.ts'
import type { Stage } from '../stage.ts'
import type { EventTime } from '../time.ts'
import { CountMin } from './count-min.ts'
import type { DietOptions } from './diet-options.ts'

const MINUTE_MS = 60_000
const HOUR_MINUTES = 60
const SKETCH_WIDTH = 2 ** 18
/** Sightings after which the sketch is halved, so that what was seen long ago is forgotten. */
const SKETCH_SPAN = 4 * SKETCH_WIDTH

/** Why keys got no row. */
export type Refusal = 'count' | 'share' | 'full'
/** Why rows were given up. */
export type Eviction = 'age' | 'score' | 'erased'

/** The rules of one table and what they count. */
export class RowLife implements Stage {
  readonly options: DietOptions
  /** Rows that fit into the bound; infinite without one. */
  readonly capacity: number
  readonly #seed: number
  readonly #sketch: CountMin | undefined
  readonly refused: Record<Refusal, number> = { count: 0, share: 0, full: 0 }
  readonly evicted: Record<Eviction, number> = { age: 0, score: 0, erased: 0 }
  /** Minutes of event time. */
  minute = 0
  /** When rows are looked through for their age next. */
  #sweepAt = 0
  #sightings = 0

  constructor(options: DietOptions, seed: number, capacity: number) {
    this.options = options
    this.capacity = capacity
    this.#seed = mix32(seed ^ 0x61646d69)
    this.#sketch = options.admit_after > 1 ? new CountMin(SKETCH_WIDTH) : undefined
  }

  get bytes(): number {
    return this.#sketch?.bytes ?? 0
  }

  /** Event time moves on; it never goes back. */
  advance(now: EventTime): void {
    if (Number.isFinite(now)) this.minute = Math.max(this.minute, Math.floor(now / MINUTE_MS))
  }

  /** Whether a key that is learned from and has no row gets one, in a table that uses `rows`. */
  admits(hi: number, lo: number, rows: number): boolean {
    const refusal = this.#refusal(hi, lo, rows)
    if (refusal !== undefined) this.refused[refusal] += 1
    return refusal === undefined
  }

  /** Whether it is time to look for rows that are too old: an eighth of the age after the last time. */
  sweepDue(): boolean {
    const { expire_hours: hours } = this.options
    if (hours === undefined || this.minute < this.#sweepAt) return false
    this.#sweepAt = this.minute + Math.max(1, Math.floor((hours * HOUR_MINUTES) / 8))
    return true
  }

  isExpired(minute: number): boolean {
    const { expire_hours: hours = Number.POSITIVE_INFINITY } = this.options
    return this.minute - minute > hours * HOUR_MINUTES
  }

  /** The row whose age and score stand at word `at` was learned from now. */
  touch(words: Uint32Array, floats: Float32Array, at: number): void {
    floats[at + 1] = this.scoreNow(floats[at + 1]!, words[at]!) + 1
    words[at] = this.minute
  }

  /** A score of `minute` as it is worth now. */
  scoreNow(score: number, minute: number): number {
    const halfLife = this.options.score_half_life_hours * HOUR_MINUTES
    return score * 2 ** ((minute - this.minute) / halfLife)
  }

  snapshot(): Uint8Array {
    const { refused, evicted } = this
    const writer = new ByteWriter().f64(this.minute).f64(this.#sweepAt).f64(this.#sightings)
    writer.json([refused.count, refused.share, refused.full])
    writer.json([evicted.age, evicted.score, evicted.erased])
    return writer.bytes(this.#sketch?.snapshot() ?? new Uint8Array(0)).finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.minute = reader.f64()
    this.#sweepAt = reader.f64()
    this.#sightings = reader.f64()
    const [count = 0, share = 0, full = 0] = reader.json() as number[]
    Object.assign(this.refused, { count, share, full })
    const [age = 0, score = 0, erased = 0] = reader.json() as number[]
    Object.assign(this.evicted, { age, score, erased })
    const sketch = reader.bytes()
    this.#sketch?.restore(sketch)
    reader.end()
  }

  #refusal(hi: number, lo: number, rows: number): Refusal | undefined {
    const { admit_after: after, admit_share: share } = this.options
    this.#sightings += 1
    if (this.#sketch !== undefined) {
      if (this.#sightings % SKETCH_SPAN === 0) this.#sketch.halve()
      if (this.#sketch.add(hi, lo) < after) return 'count'
    }
    if (share < 1) {
      const word = mix32(hi ^ mix32(lo ^ mix32(this.#seed ^ this.#sightings)))
      if (word / 2 ** 32 >= share) return 'share'
    }
    return rows >= this.capacity ? 'full' : undefined
  }
}
