/** @file The Page-Hinkley test (Page 1954) for a mean that rises, in standard deviations: S = max(0, S + (x - mean) / sd - delta). */

import type { ByteReader, ByteWriter } from '../bytes.ts'

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
  #count = 0
  #mean = 0
  #squares = 0
  #sum = 0

  constructor(options: PageHinkleyOptions) {
    this.#options = options
  }

  /** The mean since the last alarm. */
  get mean(): number {
    return this.#mean
  }

  /** Takes a value; whether it raised the alarm. */
  add(value: number): boolean {
    const { delta, threshold, least } = this.#options
    this.#count += 1
    const apart = value - this.#mean
    this.#mean += apart / this.#count
    this.#squares += apart * (value - this.#mean)
    if (this.#count <= least) return false
    const deviation = Math.sqrt(this.#squares / this.#count)
    const rise = deviation > 0 ? (value - this.#mean) / deviation : 0
    this.#sum = Math.max(0, this.#sum + rise - delta)
    if (this.#sum <= threshold) return false
    this.#count = 0
    this.#mean = 0
    this.#squares = 0
    this.#sum = 0
    return true
  }

  write(writer: ByteWriter): void {
    writer.f64(this.#count).f64(this.#mean).f64(this.#squares).f64(this.#sum)
  }

  read(reader: ByteReader): void {
    this.#count = reader.f64()
    this.#mean = reader.f64()
    this.#squares = reader.f64()
    this.#sum = reader.f64()
  }
}
