/** @file Event times as table values: two float32 that hold whole milliseconds exactly, so that tables and updates need no other type. */

import type { EventTime } from '../time.ts'

/** Columns that a stored time takes. */
export const TIME_COLUMNS = 2

const LOW = 2 ** 20

/** Writes whole milliseconds: floor(t / 2^20), and the rest; exact up to the year 2527. */
export function writeTime(values: Float32Array, at: number, time: EventTime): void {
  const high = Math.floor(time / LOW)
  values[at] = high
  values[at + 1] = Math.floor(time - high * LOW)
}

/** What `writeTime` wrote. */
export function readTime(values: Float32Array, at: number): EventTime {
  return values[at]! * LOW + values[at + 1]!
}
