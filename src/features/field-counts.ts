/** @file How often each feature's field was missing or ill-typed: bad fields are counted, never thrown (law 5). */

import { MillraceError } from '../errors.ts'
import type { ValueFit } from './value-key.ts'

/** Counts of one feature since the start of the stream. */
export interface FieldCount {
  readonly feature: string
  readonly missing: number
  readonly illTyped: number
}

/** One pair of counters per feature, in the order of the spec. */
export class FieldCounts {
  readonly #names: readonly string[]
  readonly #counts: Float64Array

  constructor(names: readonly string[]) {
    this.#names = names
    this.#counts = new Float64Array(2 * names.length)
  }

  note(feature: number, fit: ValueFit): void {
    if (fit === 'value') return
    const at = 2 * feature + (fit === 'missing' ? 0 : 1)
    this.#counts[at] = this.#counts[at]! + 1
  }

  list(): FieldCount[] {
    return this.#names.map((feature, i) => ({
      feature,
      missing: this.#counts[2 * i]!,
      illTyped: this.#counts[2 * i + 1]!,
    }))
  }

  /** [missing, ill-typed] per feature; the caller owns the copy. */
  counts(): Float64Array {
    return this.#counts.slice()
  }

  /** Continues from what `counts()` gave; throws CORRUPT when the number of features differs. */
  setCounts(counts: Float64Array): void {
    if (counts.length !== this.#counts.length) {
      throw new MillraceError(
        'CORRUPT',
        `counts of ${counts.length / 2} features for a spec of ${this.#names.length}`,
      )
    }
    this.#counts.set(counts)
  }
}
