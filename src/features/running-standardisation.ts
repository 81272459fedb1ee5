/** @file Running mean and variance per dense column, float64; Welford 1962. What was learned so far standardises what comes next. */

import { MillraceError } from '../errors.ts'

/** Count, mean and sum of squared deviations per column; the whole state is one array, so scorers can be sent it. */
export class RunningStandardisation {
  readonly columns: number
  readonly #moments: Float64Array

  constructor(columns: number) {
    this.columns = columns
    this.#moments = new Float64Array(3 * columns)
  }

  /** Takes one value of a column into account. */
  learn(column: number, value: number): void {
    const at = 3 * column
    const count = this.#moments[at]! + 1
    const delta = value - this.#moments[at + 1]!
    const mean = this.#moments[at + 1]! + delta / count
    this.#moments[at] = count
    this.#moments[at + 1] = mean
    this.#moments[at + 2] = this.#moments[at + 2]! + delta * (value - mean)
  }

  /** (value - mean) / deviation by what was learned so far; 0 as long as the column has not varied. */
  apply(column: number, value: number): number {
    const at = 3 * column
    const squares = this.#moments[at + 2]!
    if (squares <= 0) return 0
    return (value - this.#moments[at + 1]!) / Math.sqrt(squares / this.#moments[at]!)
  }

  /** [count, mean, sum of squared deviations] per column; the caller owns the copy. */
  moments(): Float64Array {
    return this.#moments.slice()
  }

  /** Continues from what `moments()` gave; throws CORRUPT when the number of columns differs. */
  setMoments(moments: Float64Array): void {
    if (moments.length !== this.#moments.length) {
      throw new MillraceError(
        'CORRUPT',
        `moments of ${moments.length / 3} dense columns for a spec of ${this.columns}`,
      )
    }
    this.#moments.set(moments)
  }
}
