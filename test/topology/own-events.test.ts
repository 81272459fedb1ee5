/** @file A job with its own schemas, kinds, keys, times and labels, read from producers of several schema versions. */

import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import { parseJob } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { AvroCodec, type AvroRecord } from '../../src/wire/avro-codec.ts'
import { parseSchema } from '../../src/wire/avro-schema.ts'
import { joinWhole } from '../../topology/join-whole.ts'
import { learnWhole } from './learn-whole.ts'
import { frozenClock, temporaryFolder } from './temporary-job.ts'

const field = (name: string, type: unknown, rest: object = {}) => ({ name, type, ...rest })
const record = (name: string, ...fields: object[]) => ({ type: 'record', name, fields })

const VIEW = record(
  'view',
  field('id', 'string'),
  field('who', 'string'),
  field('what', 'long'),
  field('at', 'double'),
  field('price', ['null', 'double'], { default: null }),
)
/** Written before prices existed. */
const OLD_VIEW = record('view', ...VIEW.fields.slice(0, 4))
/** Written by a producer that is ahead: a field that the job does not know. */
const NEW_VIEW = record('view', ...VIEW.fields, field('campaign', 'string', { default: '' }))
const RATING = record(
  'rating',
  field('id', 'string'),
  field('who', 'string'),
  field('what', 'long'),
  field('at', 'double'),
  field('stars', 'int'),
)
const FOLLOW = record('follow', ...RATING.fields.slice(0, 4))

function jobText(folder: string): string {
  return `
name: shop
bus: { kind: memory, partitions: 1, framing: confluent, schema_ids: { views: 7, ratings: 8, follows: 9 } }
events:
  lateness_ms: 1000
  kinds:
    - kind: view
      topic: views
      schema: view.avsc
      writers: [{ schema: old-view.avsc, id: 5 }, { schema: new-view.avsc, id: 12 }]
      id: id
      time: at
      time_unit: s
      key: [who, what]
      anchor: true
    - { kind: rating, topic: ratings, schema: rating.avsc, id: id, time: at, time_unit: s, key: [who, what], label: { field: stars, at_least: 4 } }
    - { kind: follow, topic: follows, schema: follow.avsc, id: id, time: at, time_unit: s, key: [who, what] }
join:
  emission: staged
  tasks:
    - { name: follow, window_ms: 10000 }
    - { name: liked, kind: rating, window_ms: 60000 }
features: [{ name: who, kind: id }, { name: what, kind: id }, { name: price, kind: number, log: true }]
batch: { count: 2 }
model: { kind: shared-bottom, dim: 2 }
train: { engine: plain, state: ${folder}/state }
publish: { every_samples: 2 }
`
}

async function shop() {
  const folder = temporaryFolder()
  const files = {
    view: VIEW,
    'old-view': OLD_VIEW,
    'new-view': NEW_VIEW,
    rating: RATING,
    follow: FOLLOW,
  }
  for (const [name, schema] of Object.entries(files)) {
    writeFileSync(`${folder}/${name}.avsc`, JSON.stringify(schema))
  }
  const job = parseJob(`${folder}/job.yaml`, jobText(folder))
  const log = new MemoryLog()
  const put = async (topic: string, schema: object, schemaId: number, values: AvroRecord[]) => {
    const codec = new AvroCodec({
      schema: parseSchema(schema, topic),
      framing: 'confluent',
      schemaId,
    })
    await log.createTopic({ topic, partitions: 1, cleanup: 'delete' })
    await log.append(
      topic,
      values.map((value) => ({
        key: new Uint8Array(0),
        value: codec.encode(value),
        timestampMs: 0,
      })),
    )
  }
  await put('views', OLD_VIEW, 5, [{ id: 'v1', who: 'ann', what: 1, at: 100 }])
  await put('views', VIEW, 7, [{ id: 'v2', who: 'ann', what: 1, at: 105, price: 9.5 }])
  await put('views', NEW_VIEW, 12, [
    { id: 'v3', who: 'bob', what: 2, at: 110.5, price: null, campaign: 'x' },
  ])
  await put('views', VIEW, 99, [{ id: 'v4', who: 'eve', what: 3, at: 111, price: 1 }])
  await put('ratings', RATING, 8, [
    { id: 'r1', who: 'ann', what: 1, at: 120, stars: 5 },
    { id: 'r2', who: 'bob', what: 2, at: 121, stars: 3 },
  ])
  await put('follows', FOLLOW, 9, [
    { id: 'f1', who: 'ann', what: 1, at: 104 },
    { id: 'f2', who: 'bob', what: 2, at: 130 },
    { id: 'f3', who: 'zoe', what: 2, at: 131 },
  ])
  return { job, log }
}

test('feedback matches the latest impression of user and item, and each window gives its own row', async () => {
  const { job, log } = await shop()
  const { outputs, joiner } = await joinWhole(job, log, frozenClock)
  const rows: unknown[] = []
  const fates: string[] = []
  for await (const part of outputs) {
    for (const { id, maturedAt, labels, mask, fields } of part.samples) {
      rows.push([id, maturedAt / 1000, [...mask], [...labels], fields.price])
    }
    for (const { event, reason } of part.late) fates.push(`${event.id} ${reason}`)
    for (const event of part.orphans) fates.push(`${event.id} orphan`)
    for (const { reason, detail } of part.deadLetters) fates.push(`${reason}: ${detail}`)
  }
  expect(rows).toEqual([
    ['v1', 110, [1, 0], [1, 0], null],
    ['v2', 115, [1, 0], [0, 0], 9.5],
    ['v3', 120.5, [1, 0], [0, 0], null],
    ['v1', 160, [0, 1], [0, 0], null],
    ['v2', 165, [0, 1], [0, 1], 9.5],
    ['v3', 170.5, [0, 1], [0, 0], null],
  ])
  expect(fates.sort()).toEqual([
    'f2 after-window',
    'f3 orphan',
    'undecodable: unknown schema id 99',
  ])
  expect(joiner.accounting().map(({ kind, in: read }) => [kind, read])).toEqual([
    ['view', 4],
    ['rating', 2],
    ['follow', 3],
  ])
})

test('a learner takes such a job from end to end', async () => {
  const { job, log } = await shop()
  const { stages, reports } = await learnWhole({ job, log, engine: plainEngine('float32') })
  expect(stages.learner.samples).toBe(6)
  expect(reports.filter(({ kind }) => kind === 'published').length).toBe(3)
})
