/** @file What a producer hands over: events as plain values in the order of delivery, before any encoding. */

/** What is wrong with a delivery: in its value (the first three) or, once it is encoded, in its bytes. */
export const DAMAGES = [
  'no-id',
  'no-time',
  'time-in-microseconds',
  'empty',
  'garbage',
  'truncated',
  'unknown-schema',
] as const

/** How an event was hurt on its way; the same value gives the same hurt. */
export interface Damage {
  readonly how: (typeof DAMAGES)[number]
  /** 32 bits that pick the place of a cut or the bytes of garbage. */
  readonly seed: number
}

/** One event as it is appended: deliveries come out of order, twice, late and damaged, as the source made them. */
export interface Delivery {
  /** Event kind as the job names it, for example `impression` or `click`; topology knows its topic and schema. */
  readonly kind: string
  /** Partition key: deliveries of one key keep their order inside a topic. */
  readonly key: Uint8Array
  /** When the producer appends it, Unix ms (event time plus the delay of the delivery). */
  readonly timestampMs: number
  /** The event's fields, named and typed as its schema has them; it can be encoded even where it is damaged. */
  readonly value: Readonly<Record<string, unknown>>
  /** Set: `value` is already wrong where the value is, and its encoded bytes must go through `damageBytes`. */
  readonly damage: Damage | undefined
}
