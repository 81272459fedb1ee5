/** @file Whatever the bytes are: what the finder takes decodes, to the same fields; what it does not take it leaves to the decoder. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AvroCodec } from '../../src/wire/avro-codec.ts'
import { loadSchema, parseSchema } from '../../src/wire/avro-schema.ts'
import {
  type FieldFinder,
  longAt,
  textLength,
  textStart,
  type WantedField,
} from '../../src/wire/field-finder.ts'
import { record, schemaValues } from './schema-values.ts'

const SEED = 11

/** Any schema: unions, blocks, nested and named records, enums, fixed. */
const everything = parseSchema(
  record(
    'everything',
    { name: 'id', type: ['null', 'string'] },
    { name: 'flags', type: { type: 'array', items: ['null', 'boolean', 'int', 'bytes'] } },
    { name: 'side', type: { type: 'enum', name: 'side', symbols: ['left', 'right'] } },
    { name: 'hash', type: { type: 'fixed', name: 'hash', size: 3 } },
    {
      name: 'inner',
      type: record('inner', { name: 'a', type: 'float' }, { name: 'b', type: 'hash' }),
    },
    { name: 'more', type: { type: 'map', values: 'inner' } },
    { name: 'nothing', type: { type: 'array', items: 'null' } },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ),
  'everything.avsc',
)

const inner = fc.record({ a: fc.float({ noNaN: true }), b: fc.constant(Buffer.from('abc')) })
const everyValue = fc.record({
  id: fc.option(fc.string({ unit: 'binary' }), { nil: null }),
  flags: fc.array(fc.oneof(fc.constant(null), fc.boolean(), fc.integer())),
  side: fc.constantFrom('left', 'right'),
  hash: fc.constant(Buffer.from('xyz')),
  inner,
  more: fc.dictionary(fc.string(), inner, { noNullPrototype: true }),
  nothing: fc.array(fc.constant(null), { maxLength: 3 }),
  at: fc.maxSafeInteger(),
})

const cases: readonly [string, AvroCodec, WantedField[], fc.Arbitrary<Record<string, unknown>>][] =
  [
    [
      'impression',
      new AvroCodec({ schema: loadSchema('schemas/impression.avsc') }),
      [
        { name: 'event_id', types: ['text', 'long'] },
        { name: 'event_time', types: ['long'] },
        { name: 'impression_id', types: ['text'] },
      ],
      schemaValues['impression.avsc'] ?? fc.constant({}),
    ],
    [
      'click',
      new AvroCodec({ schema: loadSchema('schemas/click.avsc') }),
      [
        { name: 'impression_id', types: ['text'] },
        { name: 'event_time', types: ['long'] },
      ],
      schemaValues['click.avsc'] ?? fc.constant({}),
    ],
    [
      'everything',
      new AvroCodec({ schema: everything }),
      [
        { name: 'id', types: ['text'] },
        { name: 'at', types: ['long'] },
      ],
      everyValue,
    ],
  ]

/** What the finder says that the fields are, by name; undefined when it leaves the bytes to the decoder. */
function found(
  finder: FieldFinder,
  wanted: readonly WantedField[],
  bytes: Uint8Array,
): Record<string, unknown> | undefined {
  const places = new Int32Array(wanted.length)
  if (!finder.find(bytes, places)) return undefined
  const values = wanted.map(({ name }, i) => {
    const at = places[i] ?? -1
    if (finder.types[i] === 'long') return [name, longAt(bytes, at)]
    const start = textStart(bytes, at)
    return [name, Buffer.from(bytes).toString('utf8', start, start + textLength(bytes, at))]
  })
  return Object.fromEntries(values)
}

describe.each(cases)('the fields of %s', (_name, codec, wanted, values) => {
  const finder = codec.finder(wanted)
  if (finder === undefined) throw new Error('these fields should be found')

  test('are those that the decoder gives, for values as they are', () => {
    let taken = 0
    fc.assert(
      fc.property(values, (value) => {
        const fields = found(finder, wanted, codec.encode(value))
        if (fields === undefined) return
        taken += 1
        expect(value).toMatchObject(fields)
      }),
      { seed: SEED },
    )
    expect(taken).toBeGreaterThan(5)
  })

  test('are those that the decoder gives, for bytes that were changed, cut or made longer', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 })
    const length = fc.integer({ min: -3, max: 3 })
    fc.assert(
      fc.property(values, damage, length, (value, changes, longer) => {
        const whole = codec.encode(value)
        const bytes = Buffer.alloc(Math.max(0, whole.length + longer))
        bytes.set(whole.subarray(0, bytes.length))
        for (const [at, byte] of changes) {
          if (bytes.length > 10) bytes[10 + (at % (bytes.length - 10))] = byte
        }
        const fields = found(finder, wanted, bytes)
        if (fields === undefined) return
        expect(codec.decode(bytes)).toMatchObject({ kind: 'value', value: fields })
      }),
      { seed: SEED, numRuns: 2_000 },
    )
  })
})

describe('a finder', () => {
  const codec = new AvroCodec({ schema: everything })

  test('is not made for a field that is missing or of another type', () => {
    expect(codec.finder([{ name: 'nobody', types: ['text'] }])).toBeUndefined()
    expect(codec.finder([{ name: 'at', types: ['text'] }])).toBeUndefined()
  })

  test('leaves a null and foreign bytes to the decoder', () => {
    const click = new AvroCodec({ schema: loadSchema('schemas/click.avsc') })
    const finder = click.finder([{ name: 'impression_id', types: ['text'] }])
    const value = { event_id: 'e', impression_id: null, user_id: 'u', item_id: 'i', event_time: 7 }
    const places = new Int32Array(1)
    expect(finder?.find(click.encode(value), places)).toBe(false)
    expect(finder?.find(click.encode({ ...value, impression_id: 'x' }), places)).toBe(true)
    expect(finder?.find(Buffer.from('c301'), places)).toBe(false)
  })

  test('refuses more items without bytes than bytes are left, as the decoder does', () => {
    const nulls = parseSchema(
      record(
        'nulls',
        { name: 'id', type: 'string' },
        { name: 'n', type: { type: 'array', items: 'null' } },
      ),
      'nulls.avsc',
    )
    const one = new AvroCodec({ schema: nulls })
    const sound = one.encode({ id: 'a', n: [null] })
    const many = Buffer.from(sound)
    many[many.length - 2] = 40 << 1
    const finder = one.finder([{ name: 'id', types: ['text'] }])
    expect(finder?.find(sound, new Int32Array(1))).toBe(true)
    expect(finder?.find(many, new Int32Array(1))).toBe(false)
    expect(one.decode(many).kind).toBe('malformed')
  })
})
