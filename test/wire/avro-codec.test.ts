import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AvroCodec } from '../../src/wire/avro-codec.ts'
import { parseSchema } from '../../src/wire/avro-schema.ts'
import { record, v1, v2 } from './schema-values.ts'

const SEED = 5

describe('AvroCodec', () => {
  it('frames a value in single-object encoding: C3 01 and the fingerprint, little-endian', () => {
    const bytes = new AvroCodec({ schema: v1 }).encode({ id: 'ab', n: -1 })
    expect(Buffer.from(bytes).toString('hex')).toBe(
      `c301${Buffer.from(v1.fingerprint).toString('hex')}04616201`,
    )
  })

  it('frames a value the Confluent way: 00 and the schema id, big-endian', () => {
    const codec = new AvroCodec({ schema: v1, framing: 'confluent', schemaId: 0x01020304 })
    expect(Buffer.from(codec.encode({ id: 'ab', n: -1 })).toString('hex')).toBe(
      '000102030404616201',
    )
    expect(codec.decode(codec.encode({ id: 'ab', n: -1 }))).toMatchObject({
      value: { id: 'ab', n: -1 },
    })
  })

  it.each([undefined, -1, 1.5, 2 ** 31])('refuses the schema id %s in Confluent framing', (id) => {
    const options = { schema: v1, framing: 'confluent' } as const
    expect(() => new AvroCodec(id === undefined ? options : { ...options, schemaId: id })).toThrow(
      expect.objectContaining({ code: 'BAD_SETTINGS' }),
    )
  })

  it('reads an older writer: what it did not know has its default', () => {
    const codec = new AvroCodec({ schema: v2, writers: [{ schema: v1 }] })
    const bytes = new AvroCodec({ schema: v1 }).encode({ id: 'a', n: 3 })
    expect(codec.decode(bytes)).toEqual({
      kind: 'value',
      value: expect.objectContaining({ id: 'a', n: 3, extra: ['none'], note: null }),
    })
  })

  it('reads a newer writer: what it did not ask for is skipped', () => {
    const next = parseSchema(
      record(
        'event',
        { name: 'list', type: { type: 'array', items: { type: 'map', values: 'double' } } },
        { name: 'choice', type: ['null', 'bytes', 'double'] },
        { name: 'n', type: 'int' },
        { name: 'id', type: 'string' },
      ),
      'next.avsc',
    )
    const writer = new AvroCodec({ schema: next, framing: 'confluent', schemaId: 2 })
    const reader = new AvroCodec({
      schema: v1,
      framing: 'confluent',
      schemaId: 1,
      writers: [{ schema: next, id: 2 }],
    })
    const choices = fc.constantFrom(null, 1.5, Buffer.from('xyz'))
    const maps = fc.array(fc.dictionary(fc.string(), fc.double(), { noNullPrototype: true }))
    fc.assert(
      fc.property(maps, choices, fc.string(), fc.integer(), (list, choice, id, n) => {
        expect(reader.decode(writer.encode({ list, choice, n, id }))).toMatchObject({
          kind: 'value',
          value: { id: Buffer.from(id).toString(), n },
        })
      }),
      { seed: SEED },
    )
  })

  it('reads a long as a double with the sign that it had', () => {
    const schemaOf = (type: string) => parseSchema(record('r', { name: 'x', type }), `${type}.avsc`)
    const writer = new AvroCodec({ schema: schemaOf('long') })
    for (const type of ['double', 'float', 'long']) {
      const reader = new AvroCodec({ schema: schemaOf(type), writers: [{ schema: writer.schema }] })
      for (const x of [0, -1, -4503599627370497, 2 ** 53 - 1, 1 - 2 ** 53]) {
        expect(reader.decode(writer.encode({ x }))).toMatchObject({ value: { x } })
      }
    }
  })

  it('refuses a writer whose values it cannot read, naming both files', () => {
    const other = parseSchema(record('event', { name: 'id', type: 'string' }), 'other.avsc')
    expect(() => new AvroCodec({ schema: v1, writers: [{ schema: other }] })).toThrow(
      expect.objectContaining({
        code: 'BAD_SCHEMA',
        message: expect.stringMatching(/v1\.avsc cannot read what other\.avsc writes/),
      }),
    )
  })

  it('refuses to encode a value that does not fit, naming the field', () => {
    const codec = new AvroCodec({ schema: v1 })
    for (const [value, field] of [
      [{ id: 'a', n: 1.5 }, 'n'],
      [{ id: 7, n: 1 }, 'id'],
      [{ n: 1 }, 'id'],
    ] as const) {
      expect(() => codec.encode(value)).toThrow(
        expect.objectContaining({
          code: 'BAD_INPUT',
          message: `the value does not fit event: at ${field}`,
        }),
      )
    }
  })

  it('gives every caller bytes of its own, also for values larger than any before', () => {
    const codec = new AvroCodec({ schema: v1 })
    const values = [10, 5000, 100_000, 3].map((length, n) => ({ id: 'x'.repeat(length), n }))
    const encoded = values.map((value) => codec.encode(value))
    expect(encoded.map((bytes) => codec.decode(bytes))).toMatchObject(
      values.map((value) => ({ kind: 'value', value })),
    )
  })

  it('reads a view into a larger buffer as it reads its own bytes', () => {
    const codec = new AvroCodec({ schema: v1 })
    const bytes = codec.encode({ id: 'abc', n: 9 })
    const larger = new Uint8Array(bytes.length + 20).fill(0xff)
    larger.set(bytes, 7)
    const decoded = codec.decode(larger.subarray(7, 7 + bytes.length))
    expect(decoded).toEqual(codec.decode(bytes))
    // The next bytes of the buffer do not belong to it, even when it is cut short.
    expect(codec.decode(larger.subarray(7, 7 + bytes.length - 1))).toMatchObject({
      kind: 'malformed',
      reason: expect.stringContaining('truncated'),
    })
  })
})
