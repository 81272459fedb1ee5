import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadSchema } from '../../src/wire/avro-schema.ts'
import { record } from './schema-values.ts'

describe('a schema that is none', () => {
  const path = join(tmpdir(), `millrace-${process.pid}.avsc`)
  afterAll(() => rmSync(path, { force: true }))

  it.each([
    ['not JSON', '{', /JSON/],
    ['no object', '"string"', /not a JSON object/],
    ['no record', '{"type":"array","items":"int"}', /the type is array/],
    [
      'a field of an unknown type',
      JSON.stringify(record('r', { name: 'a', type: 'nosuch' })),
      /nosuch/,
    ],
    [
      'a default of another type',
      JSON.stringify(record('r', { name: 'a', type: 'int', default: 'x' })),
      /"x"|invalid/,
    ],
    ['a union in a union', JSON.stringify(record('r', { name: 'a', type: [['int']] })), /union/],
  ])('because it is %s is refused by the name of its file', (_name, text, reason) => {
    writeFileSync(path, text)
    expect(() => loadSchema(path)).toThrow(
      expect.objectContaining({ code: 'BAD_SCHEMA', message: expect.stringContaining(path) }),
    )
    expect(() => loadSchema(path)).toThrow(reason)
  })

  it('because there is no file is an IO error', () => {
    expect(() => loadSchema('no/such.avsc')).toThrow(
      expect.objectContaining({ code: 'BAD_SCHEMA' }),
    )
  })
})
