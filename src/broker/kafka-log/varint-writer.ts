/** @file Variable-length integers of Kafka's record format (zigzag, as in Protocol Buffers), written into a growing buffer. */

/** All the bytes written so far are `finish()`. */
export class VarintWriter {
  #bytes: Buffer
  #at = 0

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity)
  }

  get length(): number {
    return this.#at
  }

  /** A view of what was written; later writes leave it alone only up to here. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#at++] = value
  }

  /** A signed integer, exact up to 2^53. */
  varint(value: number): void {
    this.#room(10)
    // The lowest 7 bits of the zigzag value are 6 of the value and its sign; halving keeps the rest exact.
    const sign = value < 0 ? 1 : 0
    let rest = sign === 1 ? -value - 1 : value
    let low = (rest % 64) * 2 + sign
    rest = Math.floor(rest / 64)
    while (rest > 0) {
      this.#bytes[this.#at++] = low | 0x80
      low = rest % 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#at++] = low
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #room(count: number): void {
    if (this.#at + count <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#at + count, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }
}

/** How many bytes `varint` writes for a value from 0 on. */
export function varintLength(value: number): number {
  let length = 1
  for (let rest = Math.floor(value / 64); rest > 0; rest = Math.floor(rest / 128)) length++
  return length
}
