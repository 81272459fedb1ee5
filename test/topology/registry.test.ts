/** @file A learner whose writers' schemas are in a registry: what it says of an id is kept to, and its absence costs no record. */

import { readFileSync } from 'node:fs'
import { firstValueFrom } from 'rxjs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import { type Job, parseJob } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { AvroCodec, type AvroRecord } from '../../src/wire/avro-codec.ts'
import { loadSchema, parseSchema } from '../../src/wire/avro-schema.ts'
import { JoinerRun } from '../../topology/joiner-run.ts'
import { learnerEpochs } from '../../topology/learner.ts'
import { openLearner } from '../../topology/open-learner.ts'
import { avro, type FakeRegistry, openFakeRegistry } from '../wire/fake-registry.ts'
import { toTheEnd } from './joiner-churn.ts'
import { learnWhole } from './learn-whole.ts'
import { frozenClock, jobText, produceWorld, temporaryFolder } from './temporary-job.ts'
import { recordsOf, writtenSamples } from './whole-samples.ts'

const IMPRESSIONS = 600
const IDS = { impressions: 1, clicks: 2, likes: 3, samples: 9 }
const SCHEMAS = ['impression', 'click', 'like']
const schemaFile = (name: string): string => `schemas/${name}.avsc`
const jsonOf = (name: string) => JSON.parse(readFileSync(schemaFile(name), 'utf8'))

let registry: FakeRegistry
beforeEach(async () => {
  registry = await openFakeRegistry()
  for (const [i, name] of SCHEMAS.entries()) registry.schemas.set(i + 1, avro(jsonOf(name)))
})
afterEach(() => registry.close())

function job(folder: string, bus: string): Job {
  const text = jobText(folder).replace(
    /^bus: .*$/m,
    `bus: { kind: memory, partitions: 2, framing: confluent, ${bus} }`,
  )
  return parseJob(`${folder}/job.yaml`, text)
}

const byJob = (folder: string): Job => job(folder, `schema_ids: ${JSON.stringify(IDS)}`)
const byRegistry = (folder: string): Job =>
  job(folder, `schema_ids: { samples: 9 }, registry: { url: '${registry.url}', patience_ms: 0 }`)

/** A click in the frame of this schema id, whose bytes are none of a click. */
const clickOf = (id: number) => ({
  key: Buffer.from('k'),
  value: Buffer.from([0, 0, 0, 0, id, 8]),
  timestampMs: 0,
})

/** The simulated app in the Confluent framing; its first and its last click name schemas that nobody has. */
async function worldLog(): Promise<MemoryLog> {
  const log = new MemoryLog()
  await log.createTopic({ topic: 'clicks', partitions: 2, cleanup: 'delete' })
  await log.append('clicks', [clickOf(41)])
  await produceWorld(byJob(temporaryFolder()), log, IMPRESSIONS)
  await log.append('clicks', [clickOf(42)])
  return log
}

async function learn(job: Job, log: MemoryLog) {
  const { run, stages } = await learnWhole({ job, log, engine: plainEngine('float32') })
  return { state: run.stateHash(), accounting: stages.intake.accounting() }
}

async function recordsOn(log: MemoryLog, topic: string) {
  const [batch] = await log.read([{ topic, partition: 0, offset: 0 }], 100_000)
  return batch?.records ?? []
}

test('ends as a job that names every schema: the same state, the same dead letters', async () => {
  const [named, found] = [await worldLog(), await worldLog()]
  const expected = await learn(byJob(temporaryFolder()), named)
  expect(await learn(byRegistry(temporaryFolder()), found)).toEqual(expected)
  expect(expected.accounting[1]?.deadLetters.undecodable).toBe(2)
  expect(await recordsOn(found, 'small.dead-letter')).toEqual(
    await recordsOn(named, 'small.dead-letter'),
  )
  expect(registry.asked.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 41, 42])
})

test('reads an older and a newer writer by the id in front of its records', async () => {
  const expected = await learn(byJob(temporaryFolder()), await worldLog())
  const json = jsonOf('impression')
  const older = {
    ...json,
    fields: json.fields.filter(({ name }: { name: string }) => name !== 'country'),
  }
  const surface = { name: 'surface', type: 'string', default: 'feed' }
  const newer = { ...json, fields: [surface, ...json.fields] }
  registry.schemas.set(21, avro(older)).set(22, avro(newer))
  const asOf = (json: object, schemaId: number) =>
    new AvroCodec({ schema: parseSchema(json, 'writer'), framing: 'confluent', schemaId })
  const codecs = [asOf(json, 1), asOf(older, 21), asOf(newer, 22)]
  const log = await rewritten(await worldLog(), codecs)
  expect(await learn(byRegistry(temporaryFolder()), log)).toEqual(expected)
  expect(registry.asked).toEqual(expect.arrayContaining([21, 22]))
})

/** The same log with the readable impressions written by several producers in turn. */
async function rewritten(log: MemoryLog, codecs: readonly AvroCodec[]): Promise<MemoryLog> {
  const copy = new MemoryLog()
  for (const [topic, partitions] of await log.topics()) {
    await copy.createTopic({ topic, partitions, cleanup: 'delete' })
    for (let partition = 0; partition < partitions; partition++) {
      const [batch] = await log.read([{ topic, partition, offset: 0 }], 100_000)
      const records = (batch?.records ?? []).map((record, i) => {
        const decoded = codecs[0]?.decode(record.value)
        if (topic !== 'impressions' || decoded?.kind !== 'value') return { ...record, partition }
        const value: AvroRecord = { ...decoded.value, surface: 'search' }
        const written = codecs[i % codecs.length]?.encode(value) ?? record.value
        return { ...record, value: written, partition }
      })
      await copy.append(topic, records)
    }
  }
  return copy
}

test('a schema that cannot be read as the one of the job makes dead letters, with the reason', async () => {
  const unlike = { ...jsonOf('click'), fields: [{ name: 'event_id', type: 'int' }] }
  registry.schemas.set(31, avro(unlike)).set(32, { schemaType: 'JSON', schema: '{}' })
  const log = await worldLog()
  const before = await learn(byJob(temporaryFolder()), await worldLog())
  await log.append('clicks', [clickOf(31), clickOf(32)])
  const { accounting } = await learn(byRegistry(temporaryFolder()), log)
  expect(accounting[1]?.deadLetters.undecodable).toBe(
    (before.accounting[1]?.deadLetters.undecodable ?? 0) + 2,
  )
  const codec = new AvroCodec({ schema: loadSchema(schemaFile('dead-letter')) })
  const details = (await recordsOn(log, 'small.dead-letter')).map(({ value }) => {
    const decoded = codec.decode(value)
    return decoded.kind === 'value' ? String(decoded.value.detail) : ''
  })
  expect(details).toContainEqual(expect.stringContaining('cannot read what schema id 31 writes'))
  expect(details).toContainEqual(expect.stringContaining('schema id 32 cannot be used'))
})

test.each([0, 3, 4])(
  'a registry that goes away after %d answers stops the learner; no record is lost or set aside for it',
  async (answers) => {
    const expected = await learn(byRegistry(temporaryFolder()), await worldLog())
    registry.asked.length = 0
    const push = registry.asked.push.bind(registry.asked)
    registry.asked.push = (...ids) => {
      if (registry.asked.length >= answers) registry.mood = 503
      return push(...ids)
    }
    const log = await worldLog()
    const folder = temporaryFolder()
    await expect(learn(byRegistry(folder), log)).rejects.toMatchObject({ code: 'REGISTRY' })
    registry.asked.push = push
    registry.mood = 'well'
    expect(await learn(byRegistry(folder), log)).toEqual(expected)
  },
)

test('an id that was absent when its epoch ran stays so when the epoch is replayed', async () => {
  const expected = await learn(byRegistry(temporaryFolder()), await worldLog())
  const log = await worldLog()
  const folder = temporaryFolder()
  const killed = await openLearner({
    job: byRegistry(folder),
    log,
    engine: plainEngine('float32'),
    clock: frozenClock,
    report: () => undefined,
  })
  await firstValueFrom(learnerEpochs(killed.run))
  await killed.close()
  registry.schemas.set(41, avro(jsonOf('click')))
  expect(await learn(byRegistry(folder), log)).toEqual(expected)
})

/** What joiners leave on the log of a job: samples and dead letters. */
async function joined(log: MemoryLog) {
  const plain = byJob(temporaryFolder())
  return {
    // The epoch of a sample is its writer's.
    samples: (await writtenSamples(plain, log)).map((shard) =>
      shard.map(({ source: { epoch: _, ...place }, ...sample }) => ({ ...sample, ...place })),
    ),
    deadLetters: [
      ...(await recordsOn(log, 'small.joiner.dead-letter')),
      ...(await recordsOf(log, 'small.joiner.dead-letter', 1)),
    ],
  }
}

function joiner(job: Job, log: MemoryLog): Promise<JoinerRun> {
  const small = {
    ...job,
    train: { ...job.train, epoch_records: 50, checkpoint_every_records: 200 },
  }
  return JoinerRun.open({ job: small, log, clock: frozenClock, untilEnd: true })
}

test('a joiner asks the registry too: the same samples, the same dead letters', async () => {
  const [named, found] = [await worldLog(), await worldLog()]
  await toTheEnd(await joiner(byJob(temporaryFolder()), named))
  await toTheEnd(await joiner(byRegistry(temporaryFolder()), found))
  const expected = await joined(named)
  expect(await joined(found)).toEqual(expected)
  expect(expected.samples.flat().length).toBeGreaterThan(IMPRESSIONS)
  expect(expected.deadLetters.length).toBeGreaterThan(1)
})

test('what a joiner found absent stays so for the next owner of its shards, and what it fetched is fetched again', async () => {
  const expected = await worldLog()
  await toTheEnd(await joiner(byRegistry(temporaryFolder()), expected))
  const log = await worldLog()
  const folder = temporaryFolder()
  const killed = await joiner(byRegistry(folder), log)
  for (let round = 0; round < 4; round++) await killed.round()
  log.group('small.joiner').evict('member-000000')
  registry.schemas.set(41, avro(jsonOf('click')))
  await toTheEnd(await joiner(byRegistry(folder), log))
  expect(await joined(log)).toEqual(await joined(expected))
})
