/** @file How a job declares a kind of event: its topic and schema, and which fields are its id, time, key and label. */

/** How the time field is written: Unix milliseconds, Unix seconds (fractions allowed), or ISO 8601 text with a zone. */
export type TimeUnit = 'ms' | 's' | 'iso'

/** The field with the impression id, or the fields with user and item. */
export type KeyFields = string | readonly [user: string, item: string]

/** Where feedback's label value comes from; an empty object means that the event's presence is the label, 1. */
export interface LabelFields {
  /** A numeric or boolean field; its value is the label unless `atLeast` is set. */
  readonly field?: string | undefined
  /** Makes the label 1 when the field reaches this value and 0 otherwise. */
  readonly atLeast?: number | undefined
}

/** A further schema file that some producer writes with, and its registry id where the framing needs one. */
export interface WriterFile {
  readonly schema: string
  readonly id?: number | undefined
}

/** One kind of event. Any names and fields will do; the join only knows anchors and feedback. */
export interface EventKind {
  readonly kind: string
  readonly topic: string
  /** Path of the Avro schema, relative to the job file. */
  readonly schema: string
  /** Schemas of producers that are older or newer than `schema`; their events are read as it has them. */
  readonly writers: readonly WriterFile[]
  /** Field with the event's own id, text or integer. */
  readonly id: string
  /** Field with the event time. */
  readonly time: string
  readonly timeUnit: TimeUnit
  readonly key: KeyFields
  /** True for the kind that opens samples. */
  readonly anchor: boolean
  /** Of tombstones, the field of impressions that holds the user whom their key names; undefined for any other kind. */
  readonly erases?: string | undefined
  readonly label: LabelFields
}
