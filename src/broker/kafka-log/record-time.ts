/**
 * @file Times that a Kafka record cannot carry: its own timestamp is a whole number from 0 on, ours is any number. The exact
 * value of the others travels in a header.
 */

/** Name of the header. */
export const TIME_HEADER = 'millrace-time'

/** The record's own timestamp. */
export function wholeTime(timestampMs: number): number {
  return Math.max(0, Math.floor(timestampMs))
}

/** The header's value; undefined where the record's own timestamp is exact. */
export function exactTime(timestampMs: number): Buffer | undefined {
  if (wholeTime(timestampMs) === timestampMs) return undefined
  const exact = Buffer.alloc(8)
  exact.writeDoubleBE(timestampMs)
  return exact
}

/** The exact time, when this header holds it. */
export function timeFromHeader(name: string, value: Buffer): number | undefined {
  return name === TIME_HEADER && value.length === 8 ? value.readDoubleBE() : undefined
}
