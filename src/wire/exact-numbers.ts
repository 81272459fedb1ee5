/**
 * @file Avro's whole numbers without surprises: avsc lets any varint pass as an int, and loses the sign of longs beyond 2^52
 * because it doubles them (zig-zag) in floating point.
 */

import avsc from 'avsc'
import type { InvalidHook, Tap } from './avsc-internals.ts'
import { codecOf } from './avsc-internals.ts'

/** Below this, twice a number is a whole float64, so avsc's own arithmetic is exact. */
const EXACT_WHEN_DOUBLED = 2 ** 52
/** 64 bits, 7 in a byte. */
const LONGEST_VARINT = 10

/** An int of 32 bits; anything else is an error. */
export class ExactInt extends avsc.types.IntType {
  _read(tap: Tap): number {
    const value = tap.readInt()
    if (value === (value | 0)) return value
    throw new Error(`an int of ${value}`)
  }
}

/** A long as a number: exact wherever a number can be, an error beyond Number.MAX_SAFE_INTEGER. */
export class ExactLong extends avsc.types.LongType {
  _check(value: unknown, _flags?: unknown, hook?: InvalidHook): boolean {
    if (Number.isSafeInteger(value)) return true
    hook?.(value, this)
    return false
  }

  _read(tap: Tap): number {
    const start = tap.pos
    const value = tap.readLong()
    if (value > -EXACT_WHEN_DOUBLED && value < EXACT_WHEN_DOUBLED) return value
    tap.pos = start
    return readBigLong(tap)
  }

  _write(tap: Tap, value: unknown): void {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
      throw new Error(`${String(value)} is no whole number up to 2^53 - 1`)
    }
    if (value > -EXACT_WHEN_DOUBLED && value < EXACT_WHEN_DOUBLED) tap.writeLong(value)
    else writeBigLong(tap, BigInt(value))
  }
}

/** A double that also reads what was written as a long, with the sign that it had. */
export class PromotedDouble extends avsc.types.DoubleType {
  _update(resolver: { _read?: (tap: Tap) => unknown }, writer: unknown): void {
    const { typeName, _read } = codecOf(writer)
    if (PROMOTED.has(typeName)) resolver._read = _read
  }
}

/** A float that also reads what was written as a long, with the sign that it had. */
export class PromotedFloat extends avsc.types.FloatType {
  _update(resolver: { _read?: (tap: Tap) => unknown }, writer: unknown): void {
    const { typeName, _read } = codecOf(writer)
    if (typeName !== 'double' && PROMOTED.has(typeName)) resolver._read = _read
  }
}

/** Avro specification, "Schema Resolution": what a double can be read from. */
const PROMOTED: ReadonlySet<string> = new Set(['double', 'float', 'long', 'int'])

function readBigLong(tap: Tap): number {
  let zigzag = 0n
  for (let i = 0; i < LONGEST_VARINT; i++) {
    const byte = tap.buf[tap.pos++] ?? 0
    zigzag |= BigInt(byte & 0x7f) << BigInt(7 * i)
    if (byte < 0x80) {
      const value = Number((zigzag >> 1n) ^ -(zigzag & 1n))
      if (Number.isSafeInteger(value)) return value
      throw new Error(`a long of ${value}, beyond 2^53 - 1`)
    }
  }
  throw new Error(`a long of more than ${LONGEST_VARINT} bytes`)
}

function writeBigLong(tap: Tap, value: bigint): void {
  let zigzag = value < 0n ? -2n * value - 1n : 2n * value
  for (; zigzag > 0x7fn; zigzag >>= 7n) tap.buf[tap.pos++] = Number(zigzag & 0x7fn) | 0x80
  tap.buf[tap.pos++] = Number(zigzag)
}
