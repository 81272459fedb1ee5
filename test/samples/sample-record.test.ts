import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMalformed } from '../../src/events/event.ts'
import type { Sample } from '../../src/samples/sample.ts'
import {
  type SampleSource,
  sampleDecoder,
  sampleFromEvent,
  sampleToRecord,
  sourceOf,
} from '../../src/samples/sample-record.ts'
import { AvroCodec } from '../../src/wire/avro-codec.ts'
import { loadSchema } from '../../src/wire/avro-schema.ts'
import { plainSample } from './plain-sample.ts'

const TASKS = ['click', 'like', 'share']
const codec = new AvroCodec({ schema: loadSchema('schemas/sample.avsc') })
const decode = sampleDecoder(TASKS, (bytes) => codec.decode(bytes))
const at = { input: 1, offset: 7 }

const text = fc.string({ minLength: 1 })
const drawnSample: fc.Arbitrary<Sample> = fc
  .record({
    id: text,
    key: text,
    time: fc.integer({ min: 1, max: 2_000_000_000 }),
    window: fc.nat(1_000_000),
    weight: fc.float({ min: Math.fround(0.01), max: 100, noNaN: true }),
    labels: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 3,
      maxLength: 3,
    }),
    named: fc.array(fc.constantFrom(0, 1), { minLength: 3, maxLength: 3 }),
    role: fc.constantFrom('final', 'opened', 'provisional', 'late-positive', 'matured'),
    fields: fc.dictionary(
      text,
      fc.oneof(
        fc.constant(null),
        fc.maxSafeInteger(),
        fc.double(),
        text,
        fc.boolean(),
        fc.array(text),
      ),
      { noNullPrototype: true },
    ),
  })
  .map(({ time, window, labels, named, role, ...rest }): Sample => {
    const judged = role === 'final' || role === 'matured'
    const taught = role !== 'opened' && role !== 'matured'
    const known = Uint8Array.from(named, (one) => (role === 'opened' ? 0 : one))
    const none = new Uint8Array(3)
    return {
      ...rest,
      role,
      time,
      maturedAt: time + window,
      labels: Float32Array.from(labels, (label, task) => (known[task] === 1 ? label : 0)),
      mask: judged ? known : none,
      learned: taught ? known : none,
      late: role === 'matured' || role === 'late-positive' ? known : none,
    }
  })

const drawnSource: fc.Arbitrary<SampleSource | null> = fc.option(
  fc.record({ shard: fc.nat(), sequence: fc.maxSafeNat(), epoch: fc.maxSafeNat() }),
  { nil: null },
)

function goodRecord(change: object): Uint8Array {
  const sample = plainSample({
    id: 'i1',
    key: 'k1',
    time: 1_000,
    maturedAt: 31_000,
    fields: { user_id: 'u' },
    labels: Float32Array.of(1, 0, 0),
    mask: Uint8Array.of(1, 1, 0),
  })
  return codec.encode({ ...sampleToRecord(sample, TASKS, null), ...change })
}

describe('a sample on the topic', () => {
  test('comes back as it went, with its place', () => {
    fc.assert(
      fc.property(drawnSample, drawnSource, (sample, source) => {
        const decoded = decode(codec.encode(sampleToRecord(sample, TASKS, source)), at)
        if (isMalformed(decoded)) throw new Error(decoded.detail)
        expect(sampleFromEvent(decoded, TASKS)).toEqual(sample)
        expect(sourceOf(decoded)).toEqual(source ?? undefined)
        expect(decoded.time).toBe(sample.maturedAt)
      }),
      { seed: 21, numRuns: 300 },
    )
  })

  test('lists numbers as their texts and leaves out what the schema has no place for', () => {
    const fields = { ids: [1, 2n, 'x', null], bytes: Buffer.from('b'), map: { a: 1 }, big: 5n }
    const sample = { ...(decodedGood() as Sample), fields }
    expect(sampleToRecord(sample, TASKS, null).fields).toEqual({
      ids: ['1', '2', 'x', ''],
      big: '5',
    })
  })

  test('that leaves with an event sorts before one that leaves at a window of the same time', () => {
    const idOf = (role: string): string => {
      const decoded = decode(goodRecord({ role }), at)
      if (isMalformed(decoded)) throw new Error(decoded.detail)
      return decoded.id
    }
    const ids = ['provisional', 'late_positive', 'matured'].map(idOf)
    expect([...ids].sort()).toEqual(ids)
    expect(new Set(ids).size).toBe(3)
  })

  test.each([
    ['undecodable', Buffer.from('garbage')],
    ['id', goodRecord({ id: '' })],
    ['key', goodRecord({ key: '' })],
    ['time', goodRecord({ matured_at: 999 })],
    ['time', goodRecord({ event_time: 0 })],
    ['time', goodRecord({ matured_at: Date.UTC(10_000, 0, 1) })],
    ['label', goodRecord({ weight: 0 })],
    ['label', goodRecord({ weight: Number.NaN })],
    ['label', goodRecord({ labels: [{ task: 'buy', value: 1 }] })],
    ['label', goodRecord({ labels: [{ task: 'click', value: Number.POSITIVE_INFINITY }] })],
    [
      'label',
      goodRecord({
        labels: [
          { task: 'click', value: 1 },
          { task: 'click', value: 0 },
        ],
      }),
    ],
  ])('is a dead letter with the reason %s when it is none (%#)', (reason, bytes) => {
    expect(decode(bytes, at)).toMatchObject({ kind: 'malformed', reason, source: at })
  })

  test('sorts a shorter window first, also where its number has fewer digits', () => {
    const idOf = (window: number): string => {
      const decoded = decode(goodRecord({ event_time: 31_000 - window }), at)
      if (isMalformed(decoded)) throw new Error(decoded.detail)
      return decoded.id
    }
    expect(idOf(9_000) < idOf(10_000)).toBe(true)
  })
})

function decodedGood(): Sample {
  const decoded = decode(goodRecord({}), at)
  if (isMalformed(decoded)) throw new Error(decoded.detail)
  return sampleFromEvent(decoded, TASKS)
}
