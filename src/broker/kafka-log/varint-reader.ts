/** @file Variable-length integers of Kafka's record format (zigzag, as in Protocol Buffers), read in order from bytes. */

import { MillraceError } from '../../errors.ts'

/** Reads forward; past the end, or an integer that does not end, is a CORRUPT error. */
export class VarintReader {
  readonly bytes: Buffer
  at: number

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  /** A signed integer of up to 32 bits. */
  varint(): number {
    // Nearly every length and delta fits into one byte.
    const first = this.bytes[this.at]
    if (first !== undefined && first < 0x80) {
      this.at += 1
      return (first >>> 1) ^ -(first & 1)
    }
    return this.varlong()
  }

  /** A signed integer of up to 64 bits, exact up to 2^53. */
  varlong(): number {
    // Zigzag: 0, -1, 1, -2, ... are 0, 1, 2, 3, ...: the lowest bit is the sign. Halved from the start, to stay exact.
    const sign = (this.bytes[this.at] ?? 0) & 1
    let half = 0
    for (let scale = 0.5; scale < 2 ** 69; scale *= 128) {
      const byte = this.bytes[this.at]
      if (byte === undefined) break
      this.at += 1
      half += (scale === 0.5 ? byte & 0x7e : byte & 0x7f) * scale
      if (byte < 0x80) return sign === 0 ? half : -half - 1
    }
    throw new MillraceError('CORRUPT', `a record's integer at byte ${this.at} has no end`)
  }

  /** A view of length-prefixed bytes; an absent value (length -1) is empty. */
  view(): Buffer {
    const length = this.varint()
    if (length <= 0) return this.bytes.subarray(this.at, this.at)
    const from = this.at
    this.at += length
    if (this.at > this.bytes.length) {
      throw new MillraceError('CORRUPT', `a record says ${length} bytes at ${from}, there are less`)
    }
    return this.bytes.subarray(from, this.at)
  }
}
