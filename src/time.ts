/** @file Event time: milliseconds since 1970-01-01 UTC as a plain number; the only clock a stage knows (law 6). */

/** Milliseconds since 1970-01-01 UTC, carried by the event itself. */
export type EventTime = number

/** Before every event: the watermark of a stream that has not started. */
export const START_OF_TIME: EventTime = Number.NEGATIVE_INFINITY

/** After every event: the watermark of a stream that has ended. */
export const END_OF_TIME: EventTime = Number.POSITIVE_INFINITY

/** Where the wall clock enters; injected, so that tests and replays set it by hand. */
export interface Clock {
  /** Wall-clock milliseconds since 1970-01-01 UTC. */
  now(): number
}

/** A zone is required: without one `Date.parse` would read the time of the machine it runs on. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

/** The time that an ISO 8601 text with a zone names; NaN for any other text. */
export function isoTime(text: string): EventTime {
  return ISO_TIME.test(text) ? Date.parse(text) : Number.NaN
}

/** Latest instant of an ECMAScript date, ms. */
const LATEST_TIME = 8.64e15

/** The time of a row to score, which people write too: Unix milliseconds or ISO 8601 with a zone; undefined for anything else. */
export function writtenTime(value: unknown): EventTime | undefined {
  const time = typeof value === 'string' ? isoTime(value) : value
  return typeof time === 'number' && Math.abs(time) <= LATEST_TIME ? time : undefined
}
