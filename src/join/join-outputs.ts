/** @file What the join gives: samples, and the counted, named places where everything else ends (law 5). */

import type { Event, Malformed } from '../events/event.ts'
import type { LateReason } from '../events/watermark.ts'
import type { EventTime } from '../time.ts'

/**
 * What a row is for. `final`: labels as they end, learned from and judged. `opened`: an impression as it opens, only scored,
 * so that the prediction of that moment can be judged later. With `fast` emission: `provisional`, learned from at once with a
 * negative that may still turn positive; `late-positive`, learned from when it did; `matured`, the labels as they ended, which
 * judge the first prediction and teach what corrects the others. `erasure`: no row but a tombstone in its place among them; its key
 * is the user, its field `impressions` the ids of those that were open.
 */
export type RowRole = 'final' | 'opened' | 'provisional' | 'late-positive' | 'matured' | 'erasure'

/** One row of labels as the join makes it; `samples/sample.ts` takes it over and may change the weight and what is learned. */
export interface JoinedSample {
  readonly role: RowRole
  /** Event id of the impression (the anchor). */
  readonly id: string
  /** The join key that ties feedback to it. */
  readonly key: string
  /** When the impression happened. */
  readonly time: EventTime
  /** The watermark time at which this row's labels were final (window end). */
  readonly maturedAt: EventTime
  /**
   * The impression's decoded fields, as the feature spec names them. May be decoded when they are read, as id, key and time may: a
   * copy by `...` has none, `samples/sample.ts` makes one that has.
   */
  readonly fields: Readonly<Record<string, unknown>>
  /** Label per task, 0 or 1 (or a value); 0 where it is neither known nor learned from. */
  readonly labels: Float32Array
  /** 1 where the task's label is known and final in this row; shared between rows, never to be written to. */
  readonly mask: Uint8Array
  /** 1 where this row teaches the task; shared between rows, never to be written to. */
  readonly learned: Uint8Array
  /**
   * `matured`: 1 where the label is a positive that came after the provisional row. `late-positive`: 1 where the provisional row
   * taught the task a negative. Else 0; never to be written to.
   */
  readonly late: Uint8Array
  /** Importance of the row in the loss: the join samples nothing. */
  readonly weight: 1
}

/** A well-formed event that came too late, and behind what. */
export interface LateEvent {
  readonly event: Event
  /** `after-window`: feedback on a remembered impression whose window for it had ended. */
  readonly reason: LateReason | 'after-window'
}

/** Feedback that set a label. */
export interface JoinedFeedback {
  readonly event: Event
  /** What it labels. */
  readonly impression: Event
}

/** Everything that happened, each list in an order that does not depend on how the input was cut into calls. */
export interface JoinOutputs {
  /** In the order (maturedAt, shorter window first, impression): a function of event times alone. */
  readonly samples: JoinedSample[]
  /** Impressions whose last row is among the samples, and tombstones. */
  readonly sampled: Event[]
  readonly joined: JoinedFeedback[]
  /** Open impressions of users that were erased. */
  readonly erased: Event[]
  readonly late: LateEvent[]
  /** Feedback whose impression is not known, or no longer. */
  readonly orphans: Event[]
  readonly duplicates: Event[]
  readonly deadLetters: Malformed[]
}

/** Outputs of a call in which nothing happened yet. */
export function emptyOutputs(): JoinOutputs {
  return {
    samples: [],
    sampled: [],
    joined: [],
    erased: [],
    late: [],
    orphans: [],
    duplicates: [],
    deadLetters: [],
  }
}
