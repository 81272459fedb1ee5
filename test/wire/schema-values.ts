/** @file Small schemas in two versions, and random values of the schemas in `schemas/`, for property tests. */

import fc from 'fast-check'
import { parseSchema } from '../../src/wire/avro-schema.ts'

/** The JSON of a record schema. */
export const record = (name: string, ...fields: object[]): object => ({
  type: 'record',
  name,
  fields,
})
/** A schema as it was. */
export const v1 = parseSchema(
  record('event', { name: 'id', type: 'string' }, { name: 'n', type: 'int' }),
  'v1.avsc',
)
/** The same with two more fields and a wider number. */
export const v2 = parseSchema(
  record(
    'event',
    { name: 'id', type: 'string' },
    { name: 'extra', type: { type: 'array', items: 'string' }, default: ['none'] },
    { name: 'n', type: 'long' },
    { name: 'note', type: ['null', 'string'], default: null },
  ),
  'v2.avsc',
)

const time = fc.maxSafeInteger()
const nullable = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> =>
  fc.option(value, { nil: null })
// A lone surrogate has no UTF-8, so it cannot come back as it went.
const text = fc.string({ unit: 'binary' })
const bytes = fc.uint8Array({ maxLength: 3000 }).map((array) => Buffer.from(array))
const names = fc.string({ unit: 'binary', maxLength: 12 })

function dictionary<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Record<string, Value>> {
  return fc.dictionary(fc.oneof(names, fc.constant('__proto__')), value, { noNullPrototype: true })
}

const feedback = fc.record({
  event_id: text,
  impression_id: nullable(text),
  user_id: text,
  item_id: text,
  event_time: time,
})

/** What a chunk has however its body is written. */
const CHUNK = {
  model_id: text,
  trainer_epoch: fc.maxSafeNat(),
  sequence: fc.maxSafeNat(),
  kind: fc.constantFrom('full', 'delta'),
  chunk: fc.integer(),
  chunks: fc.integer(),
  sha256: text,
  parent_sha256: text,
  full_offset: time,
  signature: bytes,
  published_at_ms: time,
}

/** One generator per file of `schemas/`. */
export const schemaValues: Readonly<Record<string, fc.Arbitrary<Record<string, unknown>>>> = {
  'impression.avsc': fc.record({
    event_id: text,
    impression_id: text,
    user_id: text,
    item_id: text,
    event_time: time,
    position: nullable(fc.integer()),
    category: nullable(text),
    author_id: nullable(text),
    tags: fc.array(text),
    item_age_hours: nullable(fc.double({ noNaN: true })),
    age_band: nullable(text),
    country: nullable(text),
    device: nullable(text),
    context: dictionary(text),
  }),
  'click.avsc': feedback,
  'like.avsc': feedback,
  'share.avsc': feedback,
  'erasure.avsc': fc.record({ event_id: text, user_id: text, event_time: time }),
  'sample.avsc': fc.record({
    id: text,
    key: text,
    event_time: time,
    matured_at: time,
    weight: fc.double(),
    labels: fc.array(fc.record({ task: text, value: fc.double(), late: fc.boolean() })),
    fields: dictionary(
      fc.oneof(
        fc.constant(null),
        fc.maxSafeInteger(),
        fc.double(),
        text,
        fc.boolean(),
        fc.array(text),
      ),
    ),
    source: nullable(
      fc.record({ shard: fc.integer(), sequence: fc.maxSafeNat(), epoch: fc.maxSafeNat() }),
    ),
    role: fc.constantFrom('final', 'opened', 'provisional', 'late_positive', 'matured', 'erasure'),
  }),
  'model-update.avsc': fc.record({
    ...CHUNK,
    body: bytes,
  }),
  'model-update-deflated.avsc': fc.record({
    ...CHUNK,
    body_bytes: fc.integer(),
    deflated: bytes,
  }),
  'score-request.avsc': fc.record({
    rows: fc.array(
      fc.record({
        event_time: time,
        fields: dictionary(
          fc.oneof(fc.constant(null), fc.maxSafeInteger(), text, fc.boolean(), fc.array(text)),
        ),
      }),
    ),
  }),
  'score-answer.avsc': fc.record({
    version: fc.maxSafeNat(),
    sha256: text,
    tasks: fc.array(text),
    probabilities: fc.array(fc.float({ noNaN: true })),
  }),
  'model-control.avsc': fc.record({
    model_id: text,
    revision: fc.maxSafeNat(),
    pinned_sequence: fc.maxSafeNat(),
    pinned_sha256: text,
    withdrawn: fc.array(text),
    reason: text,
    decided_at_ms: time,
    signature: bytes,
  }),
  'dead-letter.avsc': fc.record({
    topic: text,
    partition: fc.integer(),
    offset: fc.maxSafeNat(),
    reason: text,
    detail: text,
    bytes,
  }),
}
