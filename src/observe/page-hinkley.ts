/** @file The Page-Hinkley test (Page 1954) for a mean that rises, in standard deviations: S = max(0, S + (x - mean) / sd - delta). */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import type { MeanShift } from '../health.ts'

/** Settings; scaled by the deviation, one of them fits a rate of 30 % and one of 0.3 %. */
export interface PageHinkleyOptions {
  /** Rise of the mean that is not worth an alarm. */
  readonly delta: number
  /** What S must exceed. Chance alone takes some exp(2 delta threshold) / (2 delta^2) values to get there (Siegmund 1985). */
  readonly threshold: number
  /** Values before the first alarm: until then mean and deviation are not known. */
  readonly least: number
}

/** Starts over after an alarm. For a mean that falls, give it the negative values. */
export class PageHinkley {
  readonly #options: PageHinkleyOptions
  #seen = nothing()
  /** Of `#seen`, those since S was last 0: what lies behind the change, if there was one. */
  #risen = nothing()
  /** Sum of squared deviations from the mean of `#seen`. */
  #squares = 0
  #sum = 0

  constructor(options: PageHinkleyOptions) {
    this.#options = options
  }

  /** Takes a value; when it raises the alarm, the means before S began to rise and after. */
  add(value: number): MeanShift | undefined {
    const { delta, threshold, least } = this.#options
    const seen = this.#seen
    const apart = value - meanOf(seen)
    addTo(seen, value)
    this.#squares += apart * (value - meanOf(seen))
    if (seen.count <= least) return undefined
    const deviation = Math.sqrt(this.#squares / seen.count)
    const rise = deviation > 0 ? (value - meanOf(seen)) / deviation : 0
    this.#sum = Math.max(0, this.#sum + rise - delta)
    if (this.#sum === 0) this.#risen = nothing()
    else addTo(this.#risen, value)
    return this.#sum > threshold ? this.#startOver() : undefined
  }

  write(writer: ByteWriter): void {
    for (const { count, total } of [this.#seen, this.#risen]) writer.f64(count).f64(total)
    writer.f64(this.#squares).f64(this.#sum)
  }

  read(reader: ByteReader): void {
    this.#seen = { count: reader.f64(), total: reader.f64() }
    this.#risen = { count: reader.f64(), total: reader.f64() }
    this.#squares = reader.f64()
    this.#sum = reader.f64()
  }

  #startOver(): MeanShift {
    const count = this.#seen.count - this.#risen.count
    const total = this.#seen.total - this.#risen.total
    const shift = { before: meanOf({ count, total }), after: meanOf(this.#risen) }
    this.#seen = nothing()
    this.#risen = nothing()
    this.#squares = 0
    this.#sum = 0
    return shift
  }
}

interface Values {
  count: number
  total: number
}

function nothing(): Values {
  return { count: 0, total: 0 }
}

function addTo(values: Values, value: number): void {
  values.count += 1
  values.total += value
}

/** 0 of no values. */
function meanOf({ count, total }: Values): number {
  return count > 0 ? total / count : 0
}
