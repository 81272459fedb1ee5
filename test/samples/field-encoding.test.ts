import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from '../../src/bytes.ts'
import { readField, writeField } from '../../src/samples/field-encoding.ts'
import { codeOf } from '../contracts/stage.contract.ts'

function written(value: unknown): Uint8Array {
  const writer = new ByteWriter()
  writeField(writer, value)
  return writer.finish()
}

/** Whatever Avro decodes to. */
const field = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, undefined, true, false, -0, Number.NaN, Number.POSITIVE_INFINITY),
    fc.double(),
    fc.bigInt(),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value

describe('the encoding of fields', () => {
  it('gives back every value exactly, NaN and -0 included', () => {
    fc.assert(
      fc.property(field, (value) => {
        const reader = new ByteReader(written(value))
        const back = readField(reader)
        reader.end()
        expect(back).toStrictEqual(value)
      }),
      { numRuns: 500 },
    )
  })

  it('gives equal bytes for equal records in whatever order their names were set', () => {
    const one = { b: 1, a: { d: [1, 2], c: null }, é: 'x' }
    const other = { é: 'x', a: { c: null, d: [1, 2] }, b: 1 }
    expect(written(other)).toEqual(written(one))
    expect(written({ ...other, b: 2 })).not.toEqual(written(one))
  })

  it('reads a Node buffer back as plain bytes of its own', () => {
    const bytes = written(Buffer.from('abc'))
    const back = readField(new ByteReader(bytes))
    bytes.fill(0)
    expect(back).toStrictEqual(Uint8Array.of(97, 98, 99))
  })

  it('keeps a field named __proto__ a field', () => {
    const value = JSON.parse('{"__proto__": {"admin": true}}')
    expect(JSON.stringify(readField(new ByteReader(written(value))))).toBe(JSON.stringify(value))
  })

  it('refuses values that have no bytes, and bytes that are no value', () => {
    expect(codeOf(() => written(() => 1))).toBe('BAD_INPUT')
    expect(codeOf(() => readField(new ByteReader(Uint8Array.of(77))))).toBe('CORRUPT')
  })
})
