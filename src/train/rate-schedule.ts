/**
 * @file The learning rates over the life of a model, as one factor on all of them: a linear warm-up, then a decay with the root of
 * the steps (as Adagrad's regret bound has it; Duchi et al. 2011), down to a floor, that starts again when the world has moved.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import type { Stage } from '../stage.ts'
import type { ScheduleOptions } from './schedule-options.ts'

/** Counts steps; no clock. */
export class RateSchedule implements Stage {
  readonly #options: ScheduleOptions
  #warm = 0
  #decayed = 0

  constructor(options: ScheduleOptions) {
    this.#options = options
  }

  /** By what the next step multiplies its learning rates, in (0, 1]. */
  get factor(): number {
    const { warmup_steps: warmup, decay_steps: decay, floor } = this.#options
    if (this.#warm < warmup) return (this.#warm + 1) / (warmup + 1)
    if (decay === undefined) return 1
    return Math.max(floor, 1 / Math.sqrt(1 + this.#decayed / decay))
  }

  /** A step was taken. */
  advance(): void {
    if (this.#warm < this.#options.warmup_steps) this.#warm += 1
    else this.#decayed += 1
  }

  /** Drift: back to the full rates, without another warm-up. Does nothing unless the options ask for it. */
  noteDrift(): void {
    if (this.#options.reset_on_drift) this.#decayed = 0
  }

  snapshot(): Uint8Array {
    return new ByteWriter().f64(this.#warm).f64(this.#decayed).finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.#warm = reader.f64()
    this.#decayed = reader.f64()
    reader.end()
  }
}
