/** @file Numbers before they are encoded: reading a field, sign-safe log, bucket numbers. */

import type { BucketOptions } from './feature-options.ts'

/** Beyond any measurement; one larger value could overflow a running variance and spoil its column for good. */
const LARGEST_MAGNITUDE = 1e100

/** A field as a number of at most 1e100 in magnitude; undefined when it is absent or no such number. Booleans are 0 and 1. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean') {
    return undefined
  }
  const number = Number(value)
  return Math.abs(number) <= LARGEST_MAGNITUDE ? number : undefined
}

/** sign(v) log(1 + |v|): near v around 0, logarithmic far out, odd. */
export function signedLog(value: number): number {
  return Math.sign(value) * Math.log1p(Math.abs(value))
}

/** The integer that names a value's bucket. */
export function bucketOf(value: number, options: BucketOptions): number {
  const { boundaries, quantum, log2 } = options
  if (boundaries !== undefined) return countAtMost(boundaries, value)
  if (quantum !== undefined) return Math.floor(value / quantum)
  return Math.sign(value) * Math.floor(Math.log2(1 + Math.abs(value)) * (log2 ?? 1))
}

/** How many of the ascending boundaries are <= value: a binary search. */
function countAtMost(boundaries: readonly number[], value: number): number {
  let low = 0
  let high = boundaries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((boundaries[middle] ?? Number.POSITIVE_INFINITY) <= value) low = middle + 1
    else high = middle
  }
  return low
}
