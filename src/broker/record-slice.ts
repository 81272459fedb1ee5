/** @file A record that is a place in bytes read with many others: no view is made of its value unless somebody asks. */

import type { LogRecord } from './topic-log.ts'

/** Nobody writes to `bytes` again, so the views that are given stay valid. Not to be copied by `...`, which loses them. */
export abstract class RecordSlice implements LogRecord {
  readonly offset: number
  readonly bytes: Uint8Array
  /** The value is `bytes[valueAt, end)`. */
  readonly valueAt: number
  readonly end: number

  constructor(bytes: Uint8Array, valueAt: number, end: number, offset: number) {
    this.offset = offset
    this.bytes = bytes
    this.valueAt = valueAt
    this.end = end
  }

  get value(): Uint8Array {
    return this.bytes.subarray(this.valueAt, this.end)
  }

  abstract get key(): Uint8Array
  abstract get timestampMs(): number
}
