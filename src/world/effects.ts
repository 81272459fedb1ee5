/** @file The taste of the world: tables of effects on the log-odds of each action, some of which wander with event time. */

import type { Random } from '../random.ts'
import { WORLD_TASKS } from './tasks.ts'

/** How the effects of one table are spread. */
export interface Spread {
  /** Standard deviation of the effect on each action's log-odds, in the order of `WORLD_TASKS`. */
  readonly sd: readonly number[]
  /** Correlation of the effects on different actions: what makes learning them together worth while. */
  readonly shared: number
}

/** Fixed effects: `at(task, index)` is what is added to the task's log-odds. */
export class Effects {
  readonly #size: number
  readonly #values: Float64Array

  constructor(size: number, spread: Spread, random: Random) {
    this.#size = size
    this.#values = new Float64Array(size * WORLD_TASKS.length)
    const own = Math.sqrt(1 - spread.shared)
    for (let index = 0; index < size; index++) {
      const together = Math.sqrt(spread.shared) * random.normal()
      spread.sd.forEach((sd, task) => {
        this.#values[task * size + index] = sd * (together + own * random.normal())
      })
    }
    this.#centre(spread.sd.length)
  }

  at(task: number, index: number): number {
    return this.#values[task * this.#size + index] ?? 0
  }

  /** Takes each task's mean out, so that the base rates hardly depend on the seed. */
  #centre(tasks: number): void {
    for (let task = 0; task < tasks; task++) {
      const row = this.#values.subarray(task * this.#size, (task + 1) * this.#size)
      const mean = row.reduce((sum, value) => sum + value, 0) / row.length
      for (let index = 0; index < row.length; index++) row[index]! -= mean
    }
  }
}

/**
 * Effects that wander: start-up value m plus a sin(2 pi t / P + phi), each index with its own period and phase, the same
 * for all actions (a fashion comes and goes as one).
 */
export class WanderingEffects {
  readonly #still: Effects
  readonly #swing: Effects
  readonly #frequency: Float64Array
  readonly #phase: Float64Array

  constructor(size: number, still: Spread, swing: Spread, periodHours: number, random: Random) {
    this.#still = new Effects(size, still, random)
    this.#swing = new Effects(size, swing, random)
    this.#frequency = new Float64Array(size)
    this.#phase = new Float64Array(size)
    for (let index = 0; index < size; index++) {
      const period = periodHours * (0.75 + 0.5 * random.uniform())
      this.#frequency[index] = periodHours === 0 ? 0 : (2 * Math.PI) / period
      this.#phase[index] = 2 * Math.PI * random.uniform()
    }
  }

  /** Adds to every task's log-odds in `into` what the table has `hours` after the start, times `share`. */
  addTo(into: Float64Array, index: number, hours: number, share = 1): void {
    const wave = Math.sin((this.#frequency[index] ?? 0) * hours + (this.#phase[index] ?? 0))
    for (let task = 0; task < into.length; task++) {
      into[task]! += share * (this.#still.at(task, index) + wave * this.#swing.at(task, index))
    }
  }
}
