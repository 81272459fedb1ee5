/** @file The client of a schema registry: verdicts are final, everything else is an error that says what to do. */

import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Secret } from '../../src/settings/environment.ts'
import { AvroCodec } from '../../src/wire/avro-codec.ts'
import { SchemaRegistry, type SchemaRegistryOptions } from '../../src/wire/schema-registry.ts'
import { avro, type FakeRegistry, openFakeRegistry } from './fake-registry.ts'
import { record } from './schema-values.ts'

let fake: FakeRegistry
beforeEach(async () => {
  fake = await openFakeRegistry()
})
afterEach(() => fake.close())

function client(options: Partial<SchemaRegistryOptions> = {}): SchemaRegistry {
  return new SchemaRegistry({ url: fake.url, timeoutMs: 5_000, patienceMs: 0, ...options })
}

const NEWER = record(
  'event',
  { name: 'id', type: 'string' },
  { name: 'n', type: { type: 'long', logicalType: 'timestamp-millis' } },
  { name: 'note', type: ['null', 'string'], default: null },
)

describe('a schema', () => {
  test('is read as it was registered, and asked for once, however many ask at once', async () => {
    fake.schemas.set(7, avro(NEWER))
    const registry = client()
    const found = await Promise.all([1, 2, 3].map(() => registry.find(7)))
    for (const one of [...found, await registry.find(7)]) {
      expect(one).toMatchObject({
        kind: 'schema',
        schema: { name: 'event', origin: 'schema id 7', fields: [{ name: 'id' }, {}, {}] },
      })
    }
    expect(fake.asked).toEqual([7])
  })

  test('reads longs as exactly as a schema of the job', async () => {
    fake.schemas.set(7, avro(record('event', { name: 'n', type: 'long' })))
    const found = await client().find(7)
    if (found.kind !== 'schema') throw new Error(found.kind)
    const codec = new AvroCodec({ schema: found.schema })
    const value = { n: 2 ** 53 - 1 }
    expect(codec.decode(codec.encode(value))).toEqual({ kind: 'value', value })
  })

  test('is put together from the schemas that it refers to', async () => {
    const shared = record('place', { name: 'shelf', type: 'string' })
    fake.schemas.set(1, avro(shared))
    const reference = { name: 'place', subject: 'places', version: 1 }
    fake.schemas.set(8, avro(record('event', { name: 'where', type: 'place' }), [reference]))
    expect(await client().find(8)).toMatchObject({
      kind: 'schema',
      schema: { fields: [{ name: 'where', type: 'record' }] },
    })
  })

  test('that is none of Avro, or no record, is unusable with its reason', async () => {
    fake.schemas.set(2, { schemaType: 'JSON', schema: '{"type":"object"}' })
    fake.schemas.set(3, avro({ type: 'enum', name: 'e', symbols: ['A'] }))
    fake.schemas.set(4, {
      schema: '{"type":"record","name":"r","fields":[{"name":"x","type":"y"}]}',
    })
    const registry = client()
    expect(await registry.find(2)).toMatchObject({ kind: 'unusable' })
    expect(await registry.find(3)).toMatchObject({
      kind: 'unusable',
      reason: expect.stringContaining('the type is enum'),
    })
    expect(await registry.find(4)).toMatchObject({ kind: 'unusable' })
  })

  test('that is not there is absent, and asked for again the next time', async () => {
    const registry = client()
    expect(await registry.find(9)).toEqual({ kind: 'absent' })
    fake.schemas.set(9, avro(NEWER))
    expect(await registry.find(9)).toMatchObject({ kind: 'schema' })
  })
})

describe('a registry that gives no verdict is an error, never an absent schema', () => {
  test.each([
    [404, 'not today'],
    [500, 'not today'],
    [503, 'not today'],
    ['page', 'without JSON'],
    ['silent', 'Timeout'],
  ] as const)('%s', async (mood, reason) => {
    fake.mood = mood
    await expect(client({ timeoutMs: 100 }).find(7)).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringMatching(new RegExp(`${fake.url} does not answer .* 7: .*${reason}`)),
      remedy: expect.stringContaining('bus.registry.url'),
    })
  })

  test('nothing listens', async () => {
    await expect(client({ url: 'http://127.0.0.1:9' }).find(7)).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('it is asked again for as long as there is patience', async () => {
    fake.mood = 503
    fake.schemas.set(7, avro(NEWER))
    const found = client({ patienceMs: 60_000 }).find(7)
    while (fake.asked.length < 3) await new Promise((resolve) => setTimeout(resolve, 5))
    fake.mood = 'well'
    expect(await found).toMatchObject({ kind: 'schema' })
  })
})

describe('credentials', () => {
  const secret = new Secret('hunter2-hunter2')

  test('are sent as basic or bearer authentication', async () => {
    fake.schemas.set(7, avro(NEWER))
    fake.authorization = `Basic ${Buffer.from('ada:hunter2-hunter2').toString('base64')}`
    const login = { username: 'ada', password: secret }
    expect(await client({ login }).find(7)).toMatchObject({ kind: 'schema' })
    fake.authorization = 'Bearer hunter2-hunter2'
    expect(await client({ token: secret }).find(7)).toMatchObject({ kind: 'schema' })
  })

  test('that are refused are said at once, and not shown', async () => {
    fake.authorization = 'Bearer something else'
    const refused = await client({ token: secret, patienceMs: 60_000 })
      .find(7)
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({
      code: 'REGISTRY',
      message: expect.stringContaining('refuses to give schema id 7: Unauthorized'),
      remedy: expect.stringContaining('bus.registry.token'),
    })
    expect(fake.asked).toEqual([7])
    expect(inspect(refused, { depth: 20 })).not.toContain('hunter2')
  })
})
