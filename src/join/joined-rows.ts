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
export function rowOf(impression: Event, parts: RowParts): JoinedSample {
  return new JoinedRow(impression, parts)
}

/** A tombstone in its place among the rows. */
export function erasureRow(
  tombstone: Event,
  dropped: readonly Event[],
  none: Uint8Array,
): JoinedSample {
  return {
    role: 'erasure',
    id: tombstone.id,
    key: tombstone.key,
    time: tombstone.time,
    maturedAt: tombstone.time,
    fields: { impressions: dropped.map(({ id }) => id) },
    labels: new Float32Array(none.length),
    mask: none,
    learned: none,
    late: none,
    weight: 1,
  }
}

/** What the impression says is read from it when somebody asks; its fields are decoded when the row is encoded, not before. */
class JoinedRow implements JoinedSample {
  readonly role: RowRole
  readonly maturedAt: EventTime
  readonly labels: Float32Array
  readonly mask: Uint8Array
  readonly learned: Uint8Array
  readonly late: Uint8Array
  readonly #impression: Event

  constructor(impression: Event, { role, maturedAt, labels, mask, learned, late }: RowParts) {
    this.role = role
    this.maturedAt = maturedAt
    this.labels = labels
    this.mask = mask
    this.learned = learned
    this.late = late
    this.#impression = impression
  }

  get id(): string {
    return this.#impression.id
  }

  get key(): string {
    return this.#impression.key
  }

  get time(): EventTime {
    return this.#impression.time
  }

  get fields(): JoinedSample['fields'] {
    return this.#impression.fields
  }

  get weight(): 1 {
    return 1
  }
}

/** How `fast` emission keeps the state of a label: one that came after the provisional row is a late positive. */
export const POSITIVE = 1
export const LATE_POSITIVE = 2

/** Such states as labels (0 or 1) and marks of the late ones; both belong to the caller. */
export function fastLabels(states: Float32Array): { labels: Float32Array; late: Uint8Array } {
  const labels = states.map((state) => (state > 0 ? 1 : 0))
  return { labels, late: Uint8Array.from(states, (state) => (state === LATE_POSITIVE ? 1 : 0)) }
}
