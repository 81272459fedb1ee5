/** @file Bytes to events: the first step of the path; what cannot be read is a value with its reason (law 5). */

import { type EventTime, isoTime } from '../time.ts'
import type { Decoded, DecodeEvent, Event, MalformedReason } from './event.ts'
import type { EventKind, KeyFields, TimeUnit } from './event-kind.ts'

/** Framed bytes to named fields; `wire/` makes these from a schema. Never throws on bad bytes. */
export type DecodeValue = (
  bytes: Uint8Array,
) =>
  | { readonly kind: 'value'; readonly value: Readonly<Record<string, unknown>> }
  | { readonly kind: 'malformed'; readonly reason: string }

/**
 * The event of the record in `bytes[start, end)`, which nobody may write to any more, read without decoding its other fields;
 * undefined when only decoding tells what the bytes are. Numbers in place of views and objects: it is called for every record.
 */
export type SkimEvent = (
  bytes: Uint8Array,
  start: number,
  end: number,
  input: number,
  offset: number,
) => Event | undefined

/** Start of the year 10000: what lies beyond was written in another unit. */
export const TIME_LIMIT = Date.UTC(10_000, 0, 1)

/**
 * A decoder of one kind of event. Whatever the bytes are, it gives an event or says what is wrong with them. `skim`, tried
 * first, gives the same events faster.
 */
export function eventDecoder(
  kind: EventKind,
  decodeValue: DecodeValue,
  skim?: SkimEvent,
): DecodeEvent {
  const readTime = timeReaders[kind.timeUnit]
  const readKey = keyReader(kind.key)
  const readLabel = labelReader(kind)
  const decode: DecodeEvent = (raw, source) => {
    const malformed = (reason: MalformedReason, detail: string): Decoded => {
      return { kind: 'malformed', reason, detail, source, raw }
    }
    const decoded = decodeValue(raw)
    if (decoded.kind === 'malformed') return malformed('undecodable', decoded.reason)
    const fields = decoded.value
    const id = textOf(fields[kind.id])
    if (id === undefined) return malformed('id', fault(fields, kind.id, 'text or an integer'))
    const time = readTime(fields[kind.time])
    if (!(time > 0 && time < TIME_LIMIT)) {
      return malformed('time', fault(fields, kind.time, timeWords[kind.timeUnit]))
    }
    const key = readKey(fields)
    if (typeof key !== 'string') return malformed('key', key.fault)
    const value = readLabel(fields)
    if (typeof value !== 'number') return malformed('label', value.fault)
    return { kind: kind.kind, id, key, time, value, anchor: kind.anchor, fields, source, raw }
  }
  if (skim === undefined) return decode
  return (raw, source) =>
    skim(raw, 0, raw.length, source.input, source.offset) ?? decode(raw, source)
}

interface Fault {
  readonly fault: string
}
type Fields = Readonly<Record<string, unknown>>

const timeWords: Readonly<Record<TimeUnit, string>> = {
  ms: 'milliseconds since 1970 before the year 10000',
  s: 'seconds since 1970 before the year 10000',
  iso: 'an ISO 8601 time with its zone, after 1970 and before the year 10000',
}

/** Readers of time give NaN for what is none. */
const timeReaders: Readonly<Record<TimeUnit, (value: unknown) => EventTime>> = {
  ms: numberOf,
  // Seconds with decimals are inexact in binary: 1.1 s is meant as 1,100 ms.
  s: (value) => Math.round(numberOf(value) * 1000),
  iso: (value) => (typeof value === 'string' ? isoTime(value) : NaN),
}

function keyReader(key: KeyFields): (fields: Fields) => string | Fault {
  if (typeof key === 'string') {
    return (fields) => textOf(fields[key]) ?? { fault: fault(fields, key, 'text or an integer') }
  }
  const [userField, itemField] = key
  return (fields) => {
    const user = textOf(fields[userField])
    // The first U+0000 of a key ends the user; with one inside the user two pairs could read the same.
    if (user === undefined || user.includes('\u0000')) {
      return { fault: fault(fields, userField, 'text without U+0000 or an integer') }
    }
    const item = textOf(fields[itemField])
    if (item === undefined) return { fault: fault(fields, itemField, 'text or an integer') }
    return `${user}\u0000${item}`
  }
}

function labelReader({ label }: EventKind): (fields: Fields) => number | Fault {
  const { field, atLeast } = label
  if (field === undefined) return () => 1
  return (fields) => {
    const value = fields[field]
    const number = typeof value === 'boolean' ? Number(value) : numberOf(value)
    // Labels live in float32; a number beyond it would be infinite there.
    if (!Number.isFinite(Math.fround(number))) return { fault: fault(fields, field, 'a number') }
    if (atLeast === undefined) return number
    return number >= atLeast ? 1 : 0
  }
}

/** Ids and keys: text that is not empty, or an integer, which equals its decimal text. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value
  if (Number.isSafeInteger(value) || typeof value === 'bigint') return String(value)
  return undefined
}

function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  return typeof value === 'bigint' ? Number(value) : Number.NaN
}

function fault(fields: Fields, field: string, expected: string): string {
  const value = fields[field]
  if (value === undefined || value === null) return `${field} is missing, expected ${expected}`
  const shown = typeof value === 'object' ? 'an object' : `${typeof value} ${String(value)}`
  return `${field} is ${shown.slice(0, 100)}, expected ${expected}`
}
