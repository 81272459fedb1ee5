import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AvroCodec } from '../../src/wire/avro-codec.ts'
import { loadSchema, parseSchema } from '../../src/wire/avro-schema.ts'
import { record, schemaValues, v1, v2 } from './schema-values.ts'

const SEED = 5

describe('malformed bytes', () => {
  const codec = new AvroCodec({ schema: v2 })
  const confluent = new AvroCodec({ schema: v2, framing: 'confluent', schemaId: 1 })
  const whole = codec.encode({ id: 'abc', extra: ['q'], n: 9, note: 'hi' })

  it.each([
    ['nothing', codec, '', 'truncated: 0 bytes, the single-object header alone has 10'],
    [
      'JSON',
      codec,
      Buffer.from('{"id":"abc"}').toString('hex'),
      'not in single-object encoding: starts with 7b22, not c301',
    ],
    [
      'another schema',
      codec,
      'c3010102030405060708ff',
      'unknown schema fingerprint 0102030405060708',
    ],
    [
      'Confluent framing where single-object is due',
      codec,
      '000000000104616263000000',
      'not in single-object encoding: starts with 0000, not c301',
    ],
    ['an unknown id', confluent, '0000000002ff', 'unknown schema id 2'],
    [
      'single-object encoding where Confluent is due',
      confluent,
      'c30101020304050607',
      'not in confluent framing: starts with c3, not 00',
    ],
  ])('that are %s say so', (_name, reader, hex, reason) => {
    expect(reader.decode(Buffer.from(hex, 'hex'))).toEqual({ kind: 'malformed', reason })
  })

  it('are the value cut at any byte', () => {
    for (let length = 0; length < whole.length; length++) {
      expect(codec.decode(whole.subarray(0, length))).toMatchObject({
        kind: 'malformed',
        reason: expect.stringContaining('truncated'),
      })
    }
  })

  it('are a value with bytes after it', () => {
    expect(codec.decode(Buffer.concat([whole, Buffer.alloc(3)]))).toEqual({
      kind: 'malformed',
      reason: '3 trailing bytes after the value',
    })
  })

  it('are longs that a number cannot hold and ints beyond 32 bits', () => {
    const header = Buffer.from(whole.subarray(0, 10))
    const withLong = (hex: string): Buffer =>
      Buffer.concat([header, Buffer.from(`00${'00'}${hex}00`, 'hex')])
    expect(codec.decode(withLong('12'))).toMatchObject({ value: { n: 9 } })
    // 2^53 - 1, the last one, and the next; the same below zero; 2^63 - 1; a varint of eleven bytes.
    expect(codec.decode(withLong('feffffffffffff1f'))).toMatchObject({ value: { n: 2 ** 53 - 1 } })
    expect(codec.decode(withLong('8080808080808020'))).toMatchObject({ kind: 'malformed' })
    expect(codec.decode(withLong('fdffffffffffff1f'))).toMatchObject({ value: { n: 1 - 2 ** 53 } })
    expect(codec.decode(withLong('ffffffffffffff1f'))).toMatchObject({ kind: 'malformed' })
    expect(codec.decode(withLong('feffffffffffffffff01'))).toMatchObject({ kind: 'malformed' })
    expect(codec.decode(withLong('ffffffffffffffffffff01'))).toMatchObject({ kind: 'malformed' })
    const int = new AvroCodec({ schema: v1 })
    const big = Buffer.concat([
      Buffer.from(int.encode({ id: '', n: 0 }).subarray(0, 11)),
      Buffer.from('feffffff7f', 'hex'),
    ])
    expect(int.decode(big)).toEqual({ kind: 'malformed', reason: 'an int of 17179869183' })
  })

  it('never throw and never hang, whatever they are, for readers and for those that skip fields', () => {
    const files = Object.keys(schemaValues)
    const codecs = files.flatMap((file) => {
      const schema = loadSchema(join('schemas', file))
      const skipping = parseSchema(record(schema.name), 'nothing.avsc')
      return [
        { writer: schema, codec: new AvroCodec({ schema }) },
        { writer: schema, codec: new AvroCodec({ schema: skipping, writers: [{ schema }] }) },
      ]
    })
    const tail = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.array(fc.constantFrom(0xff, 0x80, 0x00, 0x01, 0x02, 0x7f), { maxLength: 60 }),
    )
    fc.assert(
      fc.property(tail, (bytes) => {
        for (const { writer, codec: reader } of codecs) {
          const framed = Buffer.concat([
            Buffer.from([0xc3, 0x01]),
            Buffer.from(writer.fingerprint),
            Buffer.from(bytes),
          ])
          expect(['value', 'malformed']).toContain(reader.decode(framed).kind)
        }
      }),
      { seed: SEED, numRuns: 600 },
    )
  })

  it.each([
    ['an array of 2^40 items', 'array', '808080808080' + '01'],
    ['an array of 2^40 items of a stated size', 'array', 'ffffffffffff3f' + '02'],
    ['an array whose size points backwards', 'array', '03' + 'ffffffff0f'],
    ['an array with an endless count', 'array', 'ff'.repeat(400)],
    ['a map with an endless count', 'map', 'ff'.repeat(400)],
    ['a map of 2^40 entries', 'map', '808080808080' + '01'],
    ['a string of 2^40 bytes', 'string', '808080808080' + '01'],
    ['bytes of 2^40 bytes', 'bytes', '808080808080' + '01'],
    ['a string of -1 bytes', 'string', '01'],
    ['bytes of -1 bytes', 'bytes', '01'],
    ['a branch that no union has', 'union', '10'],
  ])('that promise %s cost no more than their own length', (_name, kind, hex) => {
    const types = {
      array: { type: 'array', items: 'null' },
      map: { type: 'map', values: 'null' },
      string: 'string',
      bytes: 'bytes',
      union: ['null', 'string'],
    }
    const writer = parseSchema(
      record('bomb', { name: 'f', type: types[kind as keyof typeof types] }),
      'bomb.avsc',
    )
    const skipping = parseSchema(
      record('bomb', { name: 'g', type: 'int', default: 0 }),
      'skipping.avsc',
    )
    const bytes = Buffer.concat([
      Buffer.from([0xc3, 0x01]),
      Buffer.from(writer.fingerprint),
      Buffer.from(hex, 'hex'),
    ])
    const before = process.memoryUsage().arrayBuffers
    expect(new AvroCodec({ schema: writer }).decode(bytes).kind).toBe('malformed')
    const reader = new AvroCodec({ schema: skipping, writers: [{ schema: writer }] })
    expect(reader.decode(bytes).kind).toBe('malformed')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20)
  })
})
