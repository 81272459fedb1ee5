/**
 * @file ADWIN (Bifet and Gavalda 2007, ADWIN2): a window of values in [0, 1] that drops its older part when two parts of it have
 * means that differ by more than chance allows. Kept as an exponential histogram: memory and time grow with the logarithm of its width.
 * The paper drops bucket by bucket; here all that is older than the clearest cut goes at once, so that one change is one cut.
 */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import type { MeanShift } from '../health.ts'

/** Buckets of one size before two of them become one of twice the size. */
const PER_SIZE = 5
/** Neither part of a cut may be shorter. */
const SHORTEST = 5

interface Bucket {
  readonly total: number
  /** Sum of squared deviations from the bucket's mean. */
  readonly squares: number
}

/** The means of an older and a newer part, which has `newer` values. */
interface Cut extends MeanShift {
  readonly newer: number
}

/** Level i holds buckets of 2^i values, oldest first. */
export class Adwin {
  readonly #delta: number
  #levels: Bucket[][] = [[]]
  #width = 0
  #total = 0
  #squares = 0

  /** `delta`: bound on the chance of a false cut. */
  constructor(delta: number) {
    this.#delta = delta
  }

  /** Values in the window. */
  get width(): number {
    return this.#width
  }

  get mean(): number {
    return this.#width > 0 ? this.#total / this.#width : 0
  }

  /** Takes a value; when the window was cut, the means of what was dropped and of what is left. */
  add(value: number): MeanShift | undefined {
    this.#insert(value)
    const cut = this.#clearestCut()
    if (cut === undefined) return undefined
    while (this.#width > cut.newer) this.#dropOldest()
    return { before: cut.before, after: cut.after }
  }

  write(writer: ByteWriter): void {
    writer.f64(this.#width).f64(this.#total).f64(this.#squares).u32(this.#levels.length)
    for (const level of this.#levels) {
      writer.array(Float64Array.from(level.flatMap(({ total, squares }) => [total, squares])))
    }
  }

  read(reader: ByteReader): void {
    this.#width = reader.f64()
    this.#total = reader.f64()
    this.#squares = reader.f64()
    this.#levels = Array.from({ length: reader.u32() }, () => {
      const pairs = reader.float64()
      return Array.from({ length: pairs.length / 2 }, (_, i) => {
        return { total: pairs[2 * i]!, squares: pairs[2 * i + 1]! }
      })
    })
  }

  #insert(value: number): void {
    const apart = value - this.mean
    this.#width += 1
    this.#squares += ((this.#width - 1) * apart * apart) / this.#width
    this.#total += value
    this.#levels[0]!.push({ total: value, squares: 0 })
    for (let i = 0; this.#levels[i]!.length > PER_SIZE; i++) {
      const [older, newer] = this.#levels[i]!.splice(0, 2)
      this.#levels[i + 1] ??= []
      this.#levels[i + 1]!.push(merged(older!, newer!, 2 ** i))
    }
  }

  /** The cut whose means lie furthest beyond the bound (theorem 3.2 of the paper). */
  #clearestCut(): Cut | undefined {
    const variance = this.#squares / this.#width
    const confidence = Math.log((2 * Math.log(this.#width)) / this.#delta)
    let clearest: Cut | undefined
    let excess = 1
    let older = 0
    let olderTotal = 0
    for (let i = this.#levels.length - 1; i >= 0; i--) {
      for (const { total } of this.#levels[i]!) {
        older += 2 ** i
        olderTotal += total
        const newer = this.#width - older
        if (newer < SHORTEST) return clearest
        if (older < SHORTEST) continue
        const [before, after] = [olderTotal / older, (this.#total - olderTotal) / newer]
        // 1/m of the paper, with the parts shortened by the least that they must have.
        const inverse = 1 / (older - SHORTEST + 1) + 1 / (newer - SHORTEST + 1)
        const bound =
          Math.sqrt(2 * inverse * variance * confidence) + (2 / 3) * confidence * inverse
        if (Math.abs(before - after) <= excess * bound) continue
        excess = Math.abs(before - after) / bound
        clearest = { before, after, newer }
      }
    }
    return clearest
  }

  #dropOldest(): void {
    const last = this.#levels.length - 1
    const bucket = this.#levels[last]!.shift()
    if (this.#levels[last]!.length === 0 && last > 0) this.#levels.pop()
    if (bucket === undefined) return
    const size = 2 ** last
    this.#width -= size
    this.#total -= bucket.total
    const apart = bucket.total / size - this.#total / this.#width
    const between = (size * this.#width * apart * apart) / (size + this.#width)
    this.#squares = Math.max(0, this.#squares - bucket.squares - between)
  }
}

/** Two buckets of `size` values as one. */
function merged(older: Bucket, newer: Bucket, size: number): Bucket {
  const apart = (older.total - newer.total) / size
  return {
    total: older.total + newer.total,
    squares: older.squares + newer.squares + (size * apart * apart) / 2,
  }
}
