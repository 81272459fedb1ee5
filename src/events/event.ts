/** @file An event: what one record of the bus says happened, and when; the currency of decoding, de-duplication and the join. */

import type { EventTime } from '../time.ts'
import { compareIds, type Named } from './name-units.ts'

/** Where a record came from. */
export interface EventSource {
  /** Dense index of the topic-partition in the job's list of inputs. */
  readonly input: number
  /** The record's offset in that partition. */
  readonly offset: number
}

/** One decoded, well-formed event. */
export interface Event extends Named {
  /** The job's name for this kind of event: `impression`, `click`, `follow`. Never `malformed`. */
  readonly kind: string
  /** Unique among the events of its kind; a second event with the same id is a duplicate delivery. */
  readonly id: string
  /** What ties feedback to its impression: the impression id, or user and item with U+0000 between. */
  readonly key: string
  readonly time: EventTime
  /** Label value of a feedback event: 1 when its presence is the label. 1 on anchors. */
  readonly value: number
  /** Whether it opens a sample (an impression) or labels one (feedback). */
  readonly anchor: boolean
  /** The decoded fields, named as in the reader schema. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly source: EventSource
  /** The framed bytes as they came; snapshots keep these and restoring decodes them again. */
  readonly raw: Uint8Array
}

/** Which part of a record could not be read: a bounded set, usable as a metric label. */
export type MalformedReason = 'undecodable' | 'id' | 'time' | 'key' | 'label'

/** A record that is no event; it ends in the dead-letter output with its reason (law 5). */
export interface Malformed {
  readonly kind: 'malformed'
  readonly reason: MalformedReason
  /** What was wrong, with the field's name and value, for the reader of the dead-letter topic. */
  readonly detail: string
  readonly source: EventSource
  readonly raw: Uint8Array
}

/** What decoding one record gives. */
export type Decoded = Event | Malformed

/** Tells the two apart; no job may name an event kind `malformed`. */
export function isMalformed(decoded: Decoded): decoded is Malformed {
  return decoded.kind === 'malformed'
}

/** Turns one record of one input into an event; total, never throws on bad data. */
export type DecodeEvent = (raw: Uint8Array, source: EventSource) => Decoded

/**
 * The one total order in which events reach the join: by time, anchors before feedback, then kind and id; input and
 * offset only decide between events that share all of these. Negative when `a` comes first.
 */
export function compareEvents(a: Event, b: Event): number {
  if (a.time !== b.time) return a.time - b.time
  if (a.anchor !== b.anchor) return a.anchor ? -1 : 1
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1
  const byId = compareIds(a, b)
  if (byId !== 0) return byId
  return a.source.input - b.source.input || a.source.offset - b.source.offset
}
