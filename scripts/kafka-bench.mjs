// node scripts/kafka-bench.mjs [--records N] [--out FILE]: appends and reads of kafka-log beside those of kafkajs itself, same
// broker, same records, taking turns. Needs `npm run build`. Prints a table; --out also writes JSON.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { openKafkaLog } from '../dist/src/broker/kafka-log/kafka-log.js'
import { startKafka } from './kafka/broker.mjs'
import { KAFKA_VERSION } from './kafka/jars.mjs'

const PARTITIONS = 4
const BATCH = 2_000
const VALUE_BYTES = 110
const ROUNDS = 3

const { values } = parseArgs({
  options: { records: { type: 'string', default: '400000' }, out: { type: 'string' } },
})
const records = Number(values.records)

function makeBatch(from) {
  return Array.from({ length: BATCH }, (_, i) => ({
    key: Buffer.from(`user-${from + i}`),
    value: Buffer.alloc(VALUE_BYTES, (from + i) & 255),
    timestampMs: 1_700_000_000_000 + from + i,
  }))
}

/** Records per second of a run over all records. */
async function rate(run) {
  const began = performance.now()
  const count = await run()
  if (count !== records) throw new Error(`${count} records instead of ${records}`)
  return Math.round(count / ((performance.now() - began) / 1000))
}

async function appendOurs(log, topic) {
  for (let from = 0; from < records; from += BATCH) await log.append(topic, makeBatch(from))
  return records
}

async function appendTheirs(producer, topic) {
  for (let from = 0; from < records; from += BATCH) {
    const messages = makeBatch(from).map(({ key, value, timestampMs }) => ({
      key,
      value,
      timestamp: String(timestampMs),
    }))
    await producer.send({ topic, acks: -1, messages })
  }
  return records
}

async function readOurs(log, topic) {
  const positions = Array.from({ length: PARTITIONS }, (_, partition) => ({
    topic,
    partition,
    offset: 0,
  }))
  let count = 0
  for (;;) {
    const batches = await log.read(positions, BATCH)
    if (batches.length === 0) return count
    for (const batch of batches) {
      count += batch.records.length
      positions[batch.partition].offset = batch.nextOffset
    }
  }
}

async function readTheirs(kafka, topic, groupId) {
  const consumer = kafka.consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let count = 0
  let began
  await new Promise((resolve) =>
    consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        // The group's set-up is not part of what is measured.
        began ??= performance.now()
        count += batch.messages.length
        if (count >= records) resolve()
      },
    }),
  )
  const perSecond = Math.round(count / ((performance.now() - began) / 1000))
  await consumer.disconnect()
  return perSecond
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-kafka-bench-'))
  const broker = await startKafka({ data: folder, heapMb: 1024 })
  const kafka = new Kafka({ brokers: [broker.address()], logLevel: logLevel.NOTHING })
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
  const log = await openKafkaLog({ brokers: [broker.address()] })
  await producer.connect()
  const rows = []
  for (let round = 1; round <= ROUNDS; round++) {
    const [ours, theirs] = [`ours-${round}`, `theirs-${round}`]
    for (const topic of [ours, theirs]) {
      await log.createTopic({ topic, partitions: PARTITIONS, cleanup: 'delete' })
    }
    rows.push({
      round,
      append: await rate(() => appendOurs(log, ours)),
      append_kafkajs: await rate(() => appendTheirs(producer, theirs)),
      read: await rate(() => readOurs(log, ours)),
      read_kafkajs: await readTheirs(kafka, theirs, `bench-${round}`),
    })
    console.table(rows.at(-1))
  }
  await Promise.all([log.close(), producer.disconnect()])
  await broker.stop()
  rmSync(folder, { recursive: true, force: true })
  const result = {
    command: 'node scripts/kafka-bench.mjs',
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    machine: `${cpus().length} x ${cpus()[0]?.model}`,
    node: process.version,
    kafka: KAFKA_VERSION,
    records,
    value_bytes: VALUE_BYTES,
    partitions: PARTITIONS,
    records_per_second: rows,
  }
  if (values.out) writeFileSync(values.out, `${JSON.stringify(result, undefined, 2)}\n`)
}

await main()
