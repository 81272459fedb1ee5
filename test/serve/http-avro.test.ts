/** @file Avro bodies and the OpenAPI document: the scores of the JSON body, the refusals of the JSON body, and rules that say what is checked. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Follower } from '../../src/serve/follower.ts'
import { type ScoringServer, serveScores } from '../../src/serve/http.ts'
import { RowReader } from '../../src/serve/http-rows.ts'
import { Scorer } from '../../src/serve/scorer.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { AvroCodec } from '../../src/wire/avro-codec.ts'
import { shipped } from '../../topology/chunk-codec.ts'
import { chunksOf, smallTrainer } from '../publish/small-trainer.ts'

const schemas = { request: shipped('score-request'), answer: shipped('score-answer') }
const [request, answer] = [schemas.request, schemas.answer].map(
  (schema) => new AvroCodec({ schema }),
) as [AvroCodec, AvroCodec]
const LIMITS = {
  maxRows: 20,
  timeField: 'at',
  maxBodyBytes: 5_000,
  requestTimeoutMs: 1_000,
  drainMs: 1_000,
}
const follower = new Follower(plainEngine())
let server: ScoringServer

beforeAll(async () => {
  for (const chunk of chunksOf(smallTrainer().next())) follower.follow(chunk)
  server = await serveScores({
    version: '1.2.3',
    schemas,
    scorer: new Scorer(follower),
    ready: () => true,
    metrics: { contentType: 'text/plain', expose: async () => '' },
    report: () => undefined,
    limits: LIMITS,
  })
})
afterAll(() => server.close())

const ROWS = Array.from({ length: 7 }, (_, i) => ({
  event_time: 1000 * i,
  fields: { user: `u${i}`, tags: i === 3 ? null : ['x', `t${i}`], age: i % 2 === 0 ? i : i / 3 },
}))

interface Answer {
  readonly version: number
  readonly sha256: string
  readonly scores: readonly object[]
}

function post(body: Uint8Array | string, type: string): Promise<Response> {
  const headers = { 'content-type': type }
  return fetch(`${server.url}/score`, { method: 'POST', headers, body: Buffer.from(body) })
}

test('an Avro body has the scores of the same rows in JSON', async () => {
  const json = JSON.stringify({
    rows: ROWS.map(({ event_time, fields }) => ({ ...fields, at: event_time })),
  })
  const expected = (await (await post(json, 'application/json')).json()) as Answer
  const response = await post(request.encode({ rows: ROWS }), 'avro/binary')
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'avro/binary'])
  const decoded = answer.decode(new Uint8Array(await response.arrayBuffer()))
  const { version, sha256, tasks, probabilities } =
    decoded.kind === 'value' ? decoded.value : { tasks: [], probabilities: [] }
  expect({ version, sha256 }).toEqual({ version: expected.version, sha256: expected.sha256 })
  const names = tasks as string[]
  const scores = ROWS.map((_, row) =>
    Object.fromEntries(
      names.map((task, t) => [task, (probabilities as number[])[row * names.length + t]]),
    ),
  )
  expect(scores).toEqual(expected.scores)
})

test.each([
  [400, Uint8Array.of(1, 2, 3), /truncated/],
  [400, request.encode({ rows: ROWS }).subarray(0, 40), /truncated/],
  [
    400,
    request.encode({ rows: [{ event_time: 1, fields: { age: 'old' } }] }),
    /rows\[0\].age is "old"/,
  ],
  [
    413,
    request.encode({ rows: Array.from({ length: 21 }, () => ({ event_time: 1, fields: {} })) }),
    /21 rows/,
  ],
  [413, new Uint8Array(6_000), /larger than 5000 bytes/],
])('%d: %#', async (status, body, message) => {
  const response = await post(body, 'avro/binary')
  expect(response.status).toBe(status)
  expect(await response.json()).toEqual({ error: expect.stringMatching(message) })
})

interface Schema {
  readonly type?: string | string[]
  readonly anyOf?: Schema[]
  readonly items?: Schema
  readonly properties?: Record<string, Schema>
  readonly required?: string[]
}

/** JSON Schema, as far as the document uses it. */
function allows({ type, anyOf, items }: Schema, value: unknown): boolean {
  if (anyOf !== undefined) return anyOf.some((one) => allows(one, value))
  const name = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  if (type !== undefined && ![type].flat().includes(name)) return false
  return (
    name !== 'array' || items === undefined || (value as unknown[]).every((v) => allows(items, v))
  )
}

test('the OpenAPI document has the fields and tasks of the version, by the rules that rows are checked by', async () => {
  // biome-ignore lint/suspicious/noExplicitAny: plain JSON, looked into below
  const api = (await (await fetch(`${server.url}/openapi.json`)).json()) as any
  expect(api).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } })
  const { requestBody, responses } = api.paths['/score'].post
  expect(Object.keys(requestBody.content)).toEqual(['application/json', 'avro/binary'])
  expect(Object.keys(responses)).toEqual(['200', '400', '401', '408', '413', '415', '500', '503'])
  const { rows } = requestBody.content['application/json'].schema.properties
  expect(rows.maxItems).toBe(20)
  const row = rows.items as Schema
  expect(row.required).toEqual(['at'])
  expect(Object.keys(row.properties ?? {})).toEqual(['at', 'user', 'tags', 'age'])
  const reader = new RowReader(follower.model!.spec, LIMITS)
  for (const value of [1, 1.5, 'text', true, null, ['a', 1, null], [['a']], { a: 1 }]) {
    for (const [field, schema] of Object.entries(row.properties ?? {})) {
      if (field === 'at') continue
      const read = reader.read({ rows: [{ at: 1, [field]: value }] })
      expect([field, value, allows(schema, value)]).toEqual([field, value, read.kind === 'rows'])
    }
  }
  const scores = responses['200'].content['application/json'].schema.properties.scores.items
  expect(scores.required).toEqual(follower.model!.header.tasks)
})
