/**
 * @file The layout of a segment: frames of records, each with two CRC-32C checksums, so that a torn end, a flipped bit and a
 * file of something else can be told apart. All numbers little-endian.
 *
 * | bytes | what |
 * |---|---|
 * | 4 | `MLR1` |
 * | 4 | payload size |
 * | 4 | number of records |
 * | 4 | span: the offset after the last record, less the base offset |
 * | 8 | base offset (float64) |
 * | 8 | newest timestamp of the frame, Unix ms (float64) |
 * | 4 | CRC-32C of the payload |
 * | 4 | CRC-32C of the 36 bytes before |
 * | n | payload: per record offset less base, key size, value size (4 each), timestamp (8), key, value |
 * | 4 | `END1`: written last, so that a frame without it never was complete |
 */

import { crc32c } from '../crc32c.ts'
import { RecordSlice } from '../record-slice.ts'
import type { LogRecord } from '../topic-log.ts'

/** Bytes before the payload. */
export const HEADER_BYTES = 40
/** Bytes after the payload. */
export const TRAILER_BYTES = 4
/** Bytes of a record beside its key and its value. */
export const RECORD_BYTES = 20

const MAGIC = 0x31524c4d
const END = 0x31444e45

/** What a frame says about itself. */
export interface FrameHeader {
  readonly payloadBytes: number
  readonly count: number
  readonly baseOffset: number
  /** The offset after the last record of the frame. */
  readonly nextOffset: number
  readonly maxTimestampMs: number
  readonly payloadCrc: number
}

/** A record with its offset, as it is written. */
export type FramedRecord = LogRecord

/** Header, payload and trailer. */
export function frameBytes(header: Pick<FrameHeader, 'payloadBytes'>): number {
  return HEADER_BYTES + header.payloadBytes + TRAILER_BYTES
}

/** The header at `at`, or why there is none: `unwritten` when all its bytes are zero. `at` + HEADER_BYTES must exist. */
export function readHeader(bytes: Buffer, at: number): FrameHeader | 'unwritten' | 'invalid' {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES)
  if (view.getUint32(0, true) !== MAGIC) {
    return isZero(bytes, at, at + HEADER_BYTES) ? 'unwritten' : 'invalid'
  }
  if (view.getUint32(36, true) !== crc32c(bytes, at, at + 36)) return 'invalid'
  const baseOffset = view.getFloat64(16, true)
  return {
    payloadBytes: view.getUint32(4, true),
    count: view.getUint32(8, true),
    baseOffset,
    nextOffset: baseOffset + view.getUint32(12, true),
    maxTimestampMs: view.getFloat64(24, true),
    payloadCrc: view.getUint32(32, true),
  }
}

/** What the four bytes after a payload say. */
export function readTrailer(bytes: Buffer, at: number): 'written' | 'unwritten' | 'invalid' {
  const mark = bytes.readUInt32LE(at)
  if (mark === END) return 'written'
  return mark === 0 ? 'unwritten' : 'invalid'
}

/** Whether `bytes[from, to)` are all zero: what a file system leaves where data was promised and never written. */
export function isZero(bytes: Uint8Array, from = 0, to = bytes.length): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false
  return true
}

/** Whether the payload at `payloadAt` has the checksum that its header says. */
export function isIntact(bytes: Buffer, payloadAt: number, header: FrameHeader): boolean {
  return crc32c(bytes, payloadAt, payloadAt + header.payloadBytes) === header.payloadCrc
}

/** The records of an intact payload, as slices of it. */
export function readRecords(bytes: Buffer, payloadAt: number, header: FrameHeader): LogRecord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records = new Array<LogRecord>(header.count)
  let at = payloadAt
  // Hot loop: every record that is read passes here.
  for (let i = 0; i < header.count; i++) {
    const valueAt = at + RECORD_BYTES + view.getUint32(at + 4, true)
    const end = valueAt + view.getUint32(at + 8, true)
    const offset = header.baseOffset + view.getUint32(at, true)
    records[i] = new FramedSlice(bytes, at, valueAt, end, offset)
    at = end
  }
  return records
}

/** A record in its frame. */
class FramedSlice extends RecordSlice {
  readonly #at: number

  constructor(bytes: Buffer, at: number, valueAt: number, end: number, offset: number) {
    super(bytes, valueAt, end, offset)
    this.#at = at
  }

  override get key(): Uint8Array {
    return this.bytes.subarray(this.#at + RECORD_BYTES, this.valueAt)
  }

  override get timestampMs(): number {
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + this.#at).getFloat64(12, true)
  }
}

/** Where frames are put together before they are written; grows, and is used again for every append. */
export class FrameBuffer {
  #bytes: Buffer
  #view: DataView
  #length = 0

  constructor(capacity = 1 << 16) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Adds one frame of `records[from, to)`, which must not be empty; offsets rise. */
  add(records: readonly FramedRecord[], from: number, to: number): void {
    let payloadBytes = 0
    for (let i = from; i < to; i++) payloadBytes += sizeOf(records[i]!)
    const start = this.#reserve(frameBytes({ payloadBytes }))
    const baseOffset = records[from]!.offset
    let at = start + HEADER_BYTES
    let maxTimestampMs = Number.NEGATIVE_INFINITY
    for (let i = from; i < to; i++) {
      const record = records[i]!
      if (record.timestampMs > maxTimestampMs) maxTimestampMs = record.timestampMs
      at = this.#record(record, record.offset - baseOffset, at)
    }
    const view = this.#view
    view.setUint32(at, END, true)
    view.setUint32(start, MAGIC, true)
    view.setUint32(start + 4, payloadBytes, true)
    view.setUint32(start + 8, to - from, true)
    view.setUint32(start + 12, records[to - 1]!.offset + 1 - baseOffset, true)
    view.setFloat64(start + 16, baseOffset, true)
    view.setFloat64(start + 24, maxTimestampMs, true)
    view.setUint32(start + 32, crc32c(this.#bytes, start + HEADER_BYTES, at), true)
    view.setUint32(start + 36, crc32c(this.#bytes, start, start + 36), true)
  }

  /** The frames so far, valid until the next call of any method; empties the buffer. */
  take(): Buffer {
    const length = this.#length
    this.#length = 0
    return this.#bytes.subarray(0, length)
  }

  #record({ key, value, timestampMs }: FramedRecord, delta: number, at: number): number {
    const view = this.#view
    view.setUint32(at, delta, true)
    view.setUint32(at + 4, key.length, true)
    view.setUint32(at + 8, value.length, true)
    view.setFloat64(at + 12, timestampMs, true)
    this.#bytes.set(key, at + RECORD_BYTES)
    this.#bytes.set(value, at + RECORD_BYTES + key.length)
    return at + RECORD_BYTES + key.length + value.length
  }

  #reserve(count: number): number {
    const at = this.#length
    this.#length += count
    if (this.#length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.#length, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    return at
  }
}

/** Bytes of a record in a payload. */
export function sizeOf(record: { readonly key: Uint8Array; readonly value: Uint8Array }): number {
  return RECORD_BYTES + record.key.length + record.value.length
}
