/** @file The rows that an impression gives in its life, by their role; the join decides when. */

import type { Event } from '../events/event.ts'
import type { EventTime } from '../time.ts'
import type { JoinedSample, RowRole } from './join-outputs.ts'

/** What differs between the rows of one impression. */
export interface RowParts {
  readonly role: RowRole
  readonly maturedAt: EventTime
  readonly labels: Float32Array
  readonly mask: Uint8Array
  readonly learned: Uint8Array
  readonly late: Uint8Array
}

/** A row of an impression. */
export function rowOf({ id, key, time, fields }: Event, parts: RowParts): JoinedSample {
  return { id, key, time, fields, weight: 1, ...parts }
}

/** How `fast` emission keeps the state of a label: one that came after the provisional row is a late positive. */
export const POSITIVE = 1
export const LATE_POSITIVE = 2

/** Such states as labels (0 or 1) and marks of the late ones; both belong to the caller. */
export function fastLabels(states: Float32Array): { labels: Float32Array; late: Uint8Array } {
  const labels = states.map((state) => (state > 0 ? 1 : 0))
  return { labels, late: Uint8Array.from(states, (state) => (state === LATE_POSITIVE ? 1 : 0)) }
}
