/** @file Decoded fields as bytes: the deterministic binary form in which waiting samples are part of a snapshot. */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'

const NULL = 0
const UNDEFINED = 1
const FALSE = 2
const TRUE = 3
const NUMBER = 4
const BIGINT = 5
const TEXT = 6
const BYTES = 7
const LIST = 8
const RECORD = 9

/**
 * Writes any value that Avro decodes to. Unlike JSON it keeps bytes, bigints, NaN, infinities and -0; the names of a
 * record are sorted, so equal values give equal bytes. BAD_INPUT on functions and symbols, which no schema gives.
 */
export function writeField(writer: ByteWriter, value: unknown): void {
  if (value === null) writer.u8(NULL)
  else if (value === undefined) writer.u8(UNDEFINED)
  else if (typeof value === 'boolean') writer.u8(value ? TRUE : FALSE)
  else if (typeof value === 'number') writer.u8(NUMBER).f64(value)
  else if (typeof value === 'bigint') writer.u8(BIGINT).text(String(value))
  else if (typeof value === 'string') writer.u8(TEXT).text(value)
  else if (value instanceof Uint8Array) writer.u8(BYTES).bytes(value)
  else if (Array.isArray(value)) writeList(writer, value)
  else if (typeof value === 'object') writeRecord(writer, Object.entries(value))
  else throw new MillraceError('BAD_INPUT', `a field is a ${typeof value}, which has no bytes`)
}

/** Reads what `writeField` wrote: records are plain objects with sorted names, bytes are Uint8Arrays. */
export function readField(reader: ByteReader): unknown {
  const tag = reader.u8()
  switch (tag) {
    case NULL:
      return null
    case UNDEFINED:
      return undefined
    case FALSE:
      return false
    case TRUE:
      return true
    case NUMBER:
      return reader.f64()
    case BIGINT:
      return BigInt(reader.text())
    case TEXT:
      return reader.text()
    case BYTES:
      return reader.bytes().slice()
    case LIST:
      return Array.from({ length: reader.u32() }, () => readField(reader))
    case RECORD:
      return readRecord(reader)
    default:
      throw new MillraceError('CORRUPT', `a field of unknown type ${tag}`)
  }
}

/** A record of fields without its tag. */
export function writeFields(writer: ByteWriter, fields: Readonly<Record<string, unknown>>): void {
  writeEntries(writer, Object.entries(fields))
}

/** Reads what `writeFields` wrote. */
export function readFields(reader: ByteReader): Record<string, unknown> {
  return readRecord(reader)
}

function writeList(writer: ByteWriter, values: readonly unknown[]): void {
  writer.u8(LIST).u32(values.length)
  for (const value of values) writeField(writer, value)
}

function writeRecord(writer: ByteWriter, entries: [string, unknown][]): void {
  writeEntries(writer.u8(RECORD), entries)
}

function writeEntries(writer: ByteWriter, entries: [string, unknown][]): void {
  writer.u32(entries.length)
  // By code unit, not by locale: the order must be the same on every machine.
  for (const [name, value] of entries.sort(([a], [b]) => (a < b ? -1 : 1))) {
    writeField(writer.text(name), value)
  }
}

function readRecord(reader: ByteReader): Record<string, unknown> {
  const entries: [string, unknown][] = []
  for (let left = reader.u32(); left > 0; left--) entries.push([reader.text(), readField(reader)])
  // fromEntries defines a field named __proto__ instead of setting the prototype.
  return Object.fromEntries(entries)
}
