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
