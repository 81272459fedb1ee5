import { describe, expect, it } from 'vitest'
import { parseSchema } from '../../src/wire/avro-schema.ts'
import { crc64Avro } from '../../src/wire/crc64-avro.ts'

const signed = (fingerprint: Uint8Array): bigint => Buffer.from(fingerprint).readBigInt64LE()

describe('crc64Avro', () => {
  it('of nothing is the constant of the specification', () => {
    expect(BigInt.asUintN(64, signed(crc64Avro(new Uint8Array(0))))).toBe(0xc15d213aa4d7a795n)
  })

  // From Apache Avro, share/test/data/schema-tests.txt: canonical form and fingerprint.
  it.each([
    ['"null"', 7195948357588979594n],
    ['"boolean"', -6970731678124411036n],
    ['"int"', 8247732601305521295n],
    ['"long"', -3434872931120570953n],
    ['"float"', 5583340709985441680n],
    ['"double"', -8181574048448539266n],
    ['"bytes"', 5746618253357095269n],
    ['"string"', -8142146995180207161n],
    ['["int","boolean"]', 5392556393470105090n],
    ['{"name":"foo","type":"fixed","size":15}', 1756455273707447556n],
    ['{"type":"map","values":"string"}', -8732877298790414990n],
  ])('of %s is as in the test data of Apache Avro', (canonical, fingerprint) => {
    expect(signed(crc64Avro(new TextEncoder().encode(canonical)))).toBe(fingerprint)
  })
})

describe('the fingerprint of a schema', () => {
  // Schemas as they are written, from the same file: the canonical form is this program's own.
  it.each([
    [{ fields: [], type: 'record', name: 'foo' }, -4824392279771201922n],
    [{ fields: [], type: 'record', name: 'foo', namespace: 'x.y' }, 5916914534497305771n],
    [{ fields: [], type: 'record', name: 'a.b.foo', namespace: 'x.y' }, -4616218487480524110n],
    [{ fields: [], type: 'record', name: 'foo', doc: 'Useful info' }, -4824392279771201922n],
    [
      {
        doc: 'd',
        fields: [{ type: { type: 'boolean' }, name: 'f1' }],
        type: 'record',
        name: 'foo',
      },
      7843277075252814651n,
    ],
  ])('of %j is as in the test data of Apache Avro', (json, fingerprint) => {
    expect(signed(parseSchema(json, 'test').fingerprint)).toBe(fingerprint)
  })

  it('sees names, types and order, and neither docs, defaults, aliases nor logical types', () => {
    const of = (field: object): bigint =>
      signed(parseSchema({ type: 'record', name: 'r', fields: [field] }, 'test').fingerprint)
    const plain = of({ name: 'a', type: 'long' })
    expect(of({ name: 'a', type: 'long', doc: 'd', default: 3, aliases: ['b'] })).toBe(plain)
    expect(of({ name: 'a', type: { type: 'long', logicalType: 'timestamp-millis' } })).toBe(plain)
    expect(of({ name: 'b', type: 'long' })).not.toBe(plain)
    expect(of({ name: 'a', type: 'int' })).not.toBe(plain)
  })
})
