/** @file Keeps a metric's label set bounded: what comes after the first values is counted together. */

import type { CountsByReason } from './accounting.ts'

/** The label that stands for every value beyond the bound. */
export const OTHER = 'other'

/** Remembers the first `limit` distinct values; further ones become `other`. */
export class BoundedLabel {
  readonly #known = new Set<string>()
  readonly #limit: number

  constructor(limit = 64) {
    this.#limit = limit
  }

  /** The value itself, or `other`. */
  of(value: string): string {
    if (this.#known.has(value)) return value
    if (this.#known.size >= this.#limit) return OTHER
    this.#known.add(value)
    return value
  }

  /** Counts by value, with those beyond the bound added up. */
  grouped(counts: CountsByReason): ReadonlyMap<string, number> {
    const sums = new Map<string, number>()
    for (const [value, count] of Object.entries(counts)) {
      const label = this.of(value)
      sums.set(label, (sums.get(label) ?? 0) + count)
    }
    return sums
  }
}
