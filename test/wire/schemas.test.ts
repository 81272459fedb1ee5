import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AvroCodec } from '../../src/wire/avro-codec.ts'
import { loadSchema } from '../../src/wire/avro-schema.ts'
import { schemaValues } from './schema-values.ts'

const SEED = 11
const files = readdirSync('schemas').filter((name) => name.endsWith('.avsc'))

/** Every record, enum and field anywhere inside a schema. */
function documented(node: unknown, path: string): [path: string, doc: unknown][] {
  if (Array.isArray(node)) return node.flatMap((item, i) => documented(item, `${path}[${i}]`))
  if (typeof node !== 'object' || node === null) return []
  const children = Object.entries(node).flatMap(([key, value]) =>
    documented(value, `${path}.${key}`),
  )
  return 'name' in node ? [[path, 'doc' in node ? node.doc : undefined], ...children] : children
}

/** Avro values without what JavaScript adds: constructors of records. -0 and NaN stay what they are. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return new Map(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

describe('the schemas', () => {
  it('are the twelve contracts of the wire, and each has a generator here', () => {
    expect(files.sort()).toEqual(Object.keys(schemaValues).sort())
    expect(files).toHaveLength(12)
  })

  it.each(files)('%s is a record of the namespace millrace, named like its file', (file) => {
    const schema = loadSchema(join('schemas', file))
    expect(schema.name).toBe(`millrace.${file.replace('.avsc', '').replaceAll('-', '_')}`)
    expect(schema.fields.length).toBeGreaterThan(0)
  })

  it.each(files)('%s documents every type and field in a sentence', (file) => {
    const found = documented(JSON.parse(readFileSync(join('schemas', file), 'utf8')), file)
    expect(found.length).toBeGreaterThan(3)
    for (const [path, doc] of found)
      expect([path, doc]).toEqual([path, expect.stringMatching(/\w.*\.$/)])
  })

  it.each(files)('%s gives back every value it takes, in both framings', (file) => {
    const schema = loadSchema(join('schemas', file))
    const codecs = [
      new AvroCodec({ schema }),
      new AvroCodec({ schema, framing: 'confluent', schemaId: 77 }),
    ]
    const values = schemaValues[file] ?? fc.constant({})
    fc.assert(
      fc.property(values, (value) => {
        for (const codec of codecs) {
          const decoded = codec.decode(codec.encode(value))
          if (decoded.kind !== 'value') throw new Error(decoded.reason)
          expect(plain(decoded.value)).toEqual(plain(value))
        }
      }),
      { seed: SEED },
    )
  })

  it.each(files)(
    '%s has only fields that a producer of the first version may leave out or must give',
    (file) => {
      // What was not there in the first version needs a default; this is the list of those without one, and it never grows.
      const json = JSON.parse(readFileSync(join('schemas', file), 'utf8'))
      const required = json.fields.filter((field: object) => !('default' in field))
      expect(required.map((field: { name: string }) => field.name)).toEqual(REQUIRED[file])
    },
  )
})

const CHUNK = ['model_id', 'trainer_epoch', 'sequence', 'kind', 'chunk', 'chunks', 'sha256']

const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  'erasure.avsc': ['event_id', 'user_id', 'event_time'],
  'impression.avsc': ['event_id', 'impression_id', 'user_id', 'item_id', 'event_time'],
  'click.avsc': ['event_id', 'user_id', 'item_id', 'event_time'],
  'like.avsc': ['event_id', 'user_id', 'item_id', 'event_time'],
  'share.avsc': ['event_id', 'user_id', 'item_id', 'event_time'],
  'sample.avsc': ['id', 'key', 'event_time', 'matured_at', 'labels'],
  'model-update.avsc': [...CHUNK, 'body', 'published_at_ms'],
  'model-update-deflated.avsc': [...CHUNK, 'body_bytes', 'deflated', 'published_at_ms'],
  'score-request.avsc': ['rows'],
  'score-answer.avsc': ['version', 'sha256', 'tasks', 'probabilities'],
  'model-control.avsc': ['model_id', 'revision', 'decided_at_ms'],
  'dead-letter.avsc': ['topic', 'partition', 'offset', 'reason', 'bytes'],
}
