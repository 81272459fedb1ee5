/** @file Bytes in and out: the little-endian writer and reader that snapshots, segments and updates are made with. */

import { MillraceError } from './errors.ts'

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder()

/** Grows as it is written to; `finish()` gives the bytes. All numbers little-endian. */
export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** Starts over in the same memory, which is warm: bytes given before are written over. Gives much of it back when little was used. */
  clear(): this {
    if (this.#bytes.length > 4 * this.#length) this.#replace(2 * this.#length)
    this.#length = 0
    return this
  }

  /** Makes room for so many more bytes, and some to spare: growing on the way would copy what is there, into memory that is not warm. */
  reserve(count: number): this {
    const needed = this.#length + count
    if (needed > this.#bytes.length) this.#grow(Math.ceil(needed * 1.25))
    return this
  }

  u8(value: number): this {
    const at = this.#take(1) // before the view is read: it may be a new one
    this.#view.setUint8(at, value)
    return this
  }

  u32(value: number): this {
    const at = this.#take(4)
    this.#view.setUint32(at, value, true)
    return this
  }

  /** Any JavaScript number, infinities included: times, offsets, counts, sums. */
  f64(value: number): this {
    const at = this.#take(8)
    this.#view.setFloat64(at, value, true)
    return this
  }

  /** Length-prefixed bytes. */
  bytes(value: Uint8Array): this {
    this.u32(value.length)
    return this.raw(value)
  }

  /** Bytes without a length. */
  raw(value: Uint8Array): this {
    const at = this.#take(value.length)
    this.#bytes.set(value, at)
    return this
  }

  text(value: string): this {
    return this.bytes(utf8.encode(value))
  }

  /** Any JSON value. Keys are written in insertion order: build objects in a fixed order. */
  json(value: unknown): this {
    return this.text(JSON.stringify(value))
  }

  /** A typed array with its byte length; read back with the reader's method of the same element type. */
  array(value: Float32Array | Float64Array | Uint32Array | Int32Array | Uint8Array): this {
    return this.bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  }

  /** The bytes written so far, as a view that is valid until the next write. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #take(count: number): number {
    const at = this.#length
    this.#length += count
    if (this.#length > this.#bytes.length) {
      this.#grow(Math.max(this.#length, this.#bytes.length * 2))
    }
    return at
  }

  #grow(capacity: number): void {
    const before = this.#bytes
    this.#replace(capacity)
    this.#bytes.set(before)
  }

  #replace(capacity: number): void {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }
}

/** Reads what `ByteWriter` wrote. Running past the end is a CORRUPT error, never garbage. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1))
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4), true)
  }

  f64(): number {
    return this.#view.getFloat64(this.#skip(8), true)
  }

  /** A view on the input, not a copy. */
  bytes(): Uint8Array {
    return this.raw(this.u32())
  }

  raw(count: number): Uint8Array {
    const at = this.#skip(count)
    return this.#bytes.subarray(at, at + count)
  }

  text(): string {
    return fromUtf8.decode(this.bytes())
  }

  json(): unknown {
    const text = this.text()
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw new MillraceError(
        'CORRUPT',
        `expected JSON, found ${JSON.stringify(text.slice(0, 40))}`,
        {
          cause,
        },
      )
    }
  }

  /** Reads a text that must be `tag`: every snapshot begins with the name and version of its layout. */
  expect(tag: string): this {
    const found = this.text()
    if (found !== tag) throw new MillraceError('CORRUPT', `expected '${tag}', found '${found}'`)
    return this
  }

  /** Checks that nothing is left over. */
  end(): void {
    if (this.remaining > 0) throw new MillraceError('CORRUPT', `${this.remaining} bytes too many`)
  }

  float32(): Float32Array {
    return new Float32Array(this.#copied())
  }

  float64(): Float64Array {
    return new Float64Array(this.#copied())
  }

  uint32(): Uint32Array {
    return new Uint32Array(this.#copied())
  }

  int32(): Int32Array {
    return new Int32Array(this.#copied())
  }

  uint8(): Uint8Array {
    return new Uint8Array(this.#copied())
  }

  #copied(): ArrayBuffer {
    const view = this.bytes()
    const copy = new ArrayBuffer(view.length)
    new Uint8Array(copy).set(view)
    return copy
  }

  #skip(count: number): number {
    const at = this.#at
    if (at + count > this.#bytes.length) {
      throw new MillraceError(
        'CORRUPT',
        `expected ${count} more bytes at ${at} of ${this.#bytes.length}`,
      )
    }
    this.#at = at + count
    return at
  }
}
