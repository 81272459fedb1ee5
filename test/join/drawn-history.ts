/** @file Drawn jobs and drawn histories for them: several partitions, out of order, duplicated, late, malformed. */

import fc from 'fast-check'
import type { Decoded, DecodeEvent } from '../../src/events/event.ts'
import { type DecodeValue, eventDecoder } from '../../src/events/event-decoder.ts'
import type { EventKind, KeyFields } from '../../src/events/event-kind.ts'
import type { EventJoinerOptions } from '../../src/join/event-joiner.ts'
import type { JoinOutputs } from '../../src/join/join-outputs.ts'
import type { Emission } from '../../src/join/options.ts'

const utf8 = new TextEncoder()

/** JSON in place of Avro: this folder's tests are about time, not about the wire. */
export const decodeJson: DecodeValue = (bytes) => {
  try {
    return { kind: 'value', value: JSON.parse(new TextDecoder().decode(bytes)) }
  } catch {
    return { kind: 'malformed', reason: 'not JSON' }
  }
}

export function jsonBytes(value: unknown): Uint8Array {
  return utf8.encode(typeof value === 'string' ? value : JSON.stringify(value))
}

export function kindOf(kind: string, key: KeyFields, label: EventKind['label'] = {}): EventKind {
  const anchor = kind === 'impression'
  return {
    kind,
    topic: `${kind}s`,
    schema: '',
    id: 'id',
    time: 'time',
    timeUnit: 'ms',
    writers: [],
    key,
    anchor,
    label,
  }
}

/** One drawn job with the records of every input and one order in which they arrive. */
export interface History {
  readonly options: EventJoinerOptions
  /** Per input, in offset order. */
  readonly partitions: readonly (readonly Decoded[])[]
  /** All of them, interleaved; each partition in its own order. */
  readonly arrivals: readonly Decoded[]
}

const label: fc.Arbitrary<EventKind['label']> = fc.constantFrom(
  {},
  { field: 'value' },
  { field: 'value', atLeast: 2 },
)

const job = fc
  .record({
    key: fc.constantFrom<KeyFields>('impression', ['user', 'item']),
    partitions: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 4, maxLength: 4 }),
    windows: fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 3, maxLength: 3 }),
    labels: fc.array(label, { minLength: 2, maxLength: 2 }),
    emission: fc.constantFrom<Emission>('wait', 'staged', 'fast'),
    observe: fc.nat(1),
    retentionMs: fc.constantFrom(0, 1, 10, 30),
    latenessMs: fc.constantFrom(0, 3, 10, 25, 100),
    beyondLatenessMs: fc.constantFrom(0, 5, 200),
    maxIds: fc.constantFrom(1, 3, 1000),
    erases: fc.boolean(),
  })
  .map((drawn): EventJoinerOptions => {
    const [clickWindow = 1, likeWindow = 1, slowClickWindow = 1] = drawn.windows
    const kinds = [
      kindOf('impression', drawn.key),
      kindOf('click', drawn.key, drawn.labels[0]),
      kindOf('like', drawn.key, drawn.labels[1]),
      ...(drawn.erases ? [{ ...kindOf('erasure', 'user'), erases: 'user' }] : []),
    ]
    const inputs = kinds.flatMap((kind, k) =>
      Array.from({ length: drawn.partitions[k] ?? 1 }, () => ({
        kind,
        decode: eventDecoder(kind, decodeJson),
      })),
    )
    return {
      inputs,
      latenessMs: drawn.latenessMs,
      dedupe: { withinMs: drawn.latenessMs + drawn.beyondLatenessMs, maxIds: drawn.maxIds },
      join: {
        tasks: [
          { name: 'click', kind: 'click', windowMs: clickWindow },
          { name: 'like', kind: 'like', windowMs: likeWindow },
          { name: 'slow_click', kind: 'click', windowMs: slowClickWindow },
        ],
        emission: drawn.emission,
        // Below every window, as the settings demand.
        observeMs: drawn.emission === 'fast' ? drawn.observe * (Math.min(...drawn.windows) - 1) : 0,
        retentionMs: drawn.retentionMs,
        erasure: drawn.erases ? { kind: 'erasure', userField: 'user' } : undefined,
      },
    }
  })

/** Times rise by `step` and fall back by `skew`; small ranges so that ids, keys and times collide often. */
const drawnRecord = fc.record({
  step: fc.integer({ min: 0, max: 6 }),
  skew: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 10 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 60 }) },
  ),
  id: fc.oneof({ weight: 2, arbitrary: fc.nat(1_000_000) }, { weight: 1, arbitrary: fc.nat(8) }),
  user: fc.nat(2),
  item: fc.nat(1),
  value: fc.integer({ min: 0, max: 3 }),
  broken: fc.integer({ min: 0, max: 60 }).map((n) => 60 - n),
})

/** Mostly long: an empty partition holds the watermark back until the end. */
const partition = fc.oneof(
  { weight: 1, arbitrary: fc.array(drawnRecord, { maxLength: 3 }) },
  { weight: 9, arbitrary: fc.array(drawnRecord, { minLength: 5, maxLength: 40, size: 'max' }) },
)

type DrawnRecord = typeof drawnRecord extends fc.Arbitrary<infer R> ? R : never

/** Any job, any records for it, any interleaving. */
export const history: fc.Arbitrary<History> = job.chain((options) =>
  fc
    .tuple(
      fc.tuple(...options.inputs.map(() => partition)),
      fc.array(fc.nat(5), { maxLength: 100, size: 'max' }),
    )
    .map(([drawn, picks]) => {
      const partitions = drawn.map((records, input) => {
        const decode = options.inputs[input]?.decode
        return decode === undefined ? [] : decoded(records, input, decode)
      })
      return { options, partitions, arrivals: interleaved(partitions, picks) }
    }),
)

function decoded(records: readonly DrawnRecord[], input: number, decode: DecodeEvent): Decoded[] {
  let clock = 100
  return records.map(({ step, skew, id, user, item, value, broken }, offset) => {
    clock += step
    const good = { id, time: clock - skew, impression: `${user}-${item}`, user, item, value }
    const bad = [{ ...good, id: null }, { ...good, time: '7' }, { ...good, time: 0 }, 'no JSON']
    return decode(jsonBytes(bad[broken] ?? good), { input, offset })
  })
}

/** Takes the next record of the picked partition, or of the first that has one left. */
export function interleaved<R>(
  partitions: readonly (readonly R[])[],
  picks: readonly number[],
): R[] {
  const next = partitions.map(() => 0)
  const left = (partition: number): boolean =>
    (next[partition] ?? 0) < (partitions[partition]?.length ?? 0)
  const arrivals: R[] = []
  for (let n = 0; ; n++) {
    const picked = (picks[n % Math.max(1, picks.length)] ?? 0) % partitions.length
    const partition = left(picked) ? picked : partitions.findIndex((_, other) => left(other))
    const record = partitions[partition]?.[next[partition] ?? 0]
    if (record === undefined) return arrivals
    next[partition] = (next[partition] ?? 0) + 1
    arrivals.push(record)
  }
}

/** The outputs of several calls as one. */
export function merged(calls: readonly JoinOutputs[]): JoinOutputs {
  return {
    samples: calls.flatMap((call) => call.samples),
    sampled: calls.flatMap((call) => call.sampled),
    joined: calls.flatMap((call) => call.joined),
    erased: calls.flatMap((call) => call.erased),
    late: calls.flatMap((call) => call.late),
    orphans: calls.flatMap((call) => call.orphans),
    duplicates: calls.flatMap((call) => call.duplicates),
    deadLetters: calls.flatMap((call) => call.deadLetters),
  }
}
