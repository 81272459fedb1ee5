/** @file Appends and reads of kafka-log beside those of kafkajs itself: same broker, same records, taking turns. */

import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs'
import { openKafkaLog } from '../../src/broker/kafka-log/kafka-log.ts'
import type { OutgoingRecord, TopicLog } from '../../src/broker/topic-log.ts'
import { MillraceError } from '../../src/errors.ts'
import type { Bench, BenchContext, Measured } from '../bench.ts'
import { secondsOf, takeTurns } from '../harness.ts'
import { kafkaVersion, withKafka } from '../kafka.ts'
import { versionOf } from '../machine.ts'

const PARTITIONS = 4
const BATCH = 2_000
const VALUE_BYTES = 110
const RECORDS = 200_000
const ROUNDS = 3

export const kafkaLogBench: Bench = {
  name: 'kafka-log',
  summary:
    'Appends and reads through the kafka-log port beside kafkajs itself, on one real broker.',
  peers: [],
  run: async (context) => withKafka(context.folder, (address) => measure(context, address)),
}

async function measure({ rounds = ROUNDS }: BenchContext, address: string): Promise<Measured> {
  const log = await openKafkaLog({ brokers: [address] })
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING })
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  try {
    const topics = new Topics(log)
    const appended = await takeTurns(
      [
        { name: 'ours', round: async () => appendOurs(log, await topics.fresh('ours')) },
        {
          name: 'kafkajs',
          round: async () => appendTheirs(producer, await topics.fresh('theirs')),
        },
      ],
      { rounds },
    )
    const read = await takeTurns(
      [
        { name: 'ours', round: () => readOurs(log, topics.last('ours')) },
        { name: 'kafkajs', round: () => readTheirs(kafka, topics.last('theirs'), topics.group()) },
      ],
      { rounds },
    )
    const figure = (label: string, values: ReadonlyMap<string, readonly number[]>) => ({
      label,
      unit: 'records/s',
      rounds: values.get('ours') ?? [],
      against: { name: 'kafkajs', rounds: values.get('kafkajs') ?? [] },
      better: 'higher' as const,
      target: 1,
    })
    return {
      figures: [figure('read', read), figure('append', appended)],
      versions: { kafka: await kafkaVersion(), kafkajs: versionOf('kafkajs') },
      facts: { records: RECORDS, value_bytes: VALUE_BYTES, partitions: PARTITIONS },
    }
  } finally {
    await Promise.all([log.close(), producer.disconnect()])
  }
}

/** Every round appends to a topic of its own; reads are of the last one. */
class Topics {
  readonly #log: TopicLog
  #count = 0
  readonly #last = new Map<string, string>()

  constructor(log: TopicLog) {
    this.#log = log
  }

  async fresh(side: string): Promise<string> {
    const topic = `${side}-${++this.#count}`
    await this.#log.createTopic({ topic, partitions: PARTITIONS, cleanup: 'delete' })
    this.#last.set(side, topic)
    return topic
  }

  last(side: string): string {
    return this.#last.get(side) ?? ''
  }

  group(): string {
    return `bench-${++this.#count}`
  }
}

function batchFrom(from: number): OutgoingRecord[] {
  return Array.from({ length: BATCH }, (_, i) => ({
    key: Buffer.from(`user-${from + i}`),
    value: Buffer.alloc(VALUE_BYTES, (from + i) & 255),
    timestampMs: 1_700_000_000_000 + from + i,
  }))
}

async function appendOurs(log: TopicLog, topic: string): Promise<number> {
  const seconds = await secondsOf(async () => {
    for (let from = 0; from < RECORDS; from += BATCH) await log.append(topic, batchFrom(from))
  })
  return RECORDS / seconds
}

async function appendTheirs(producer: Producer, topic: string): Promise<number> {
  const seconds = await secondsOf(async () => {
    for (let from = 0; from < RECORDS; from += BATCH) {
      const messages = batchFrom(from).map(({ key, value, timestampMs }) => ({
        key: Buffer.from(key),
        value: Buffer.from(value),
        timestamp: String(timestampMs),
      }))
      await producer.send({ topic, acks: -1, messages })
    }
  })
  return RECORDS / seconds
}

async function readOurs(log: TopicLog, topic: string): Promise<number> {
  const offsets = new Array<number>(PARTITIONS).fill(0)
  let count = 0
  const seconds = await secondsOf(async () => {
    for (;;) {
      const positions = offsets.map((offset, partition) => ({ topic, partition, offset }))
      const batches = await log.read(positions, BATCH)
      if (batches.length === 0) return
      for (const batch of batches) {
        count += batch.records.length
        offsets[batch.partition] = batch.nextOffset
      }
    }
  })
  return checked(count) / seconds
}

/** The group's set-up is not part of what is measured: the time runs from the first batch on. */
async function readTheirs(kafka: Kafka, topic: string, groupId: string): Promise<number> {
  const consumer = kafka.consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let count = 0
  let began = 0
  await new Promise<void>((resolve) => {
    void consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        if (began === 0) began = performance.now()
        count += batch.messages.length
        if (count >= RECORDS) resolve()
      },
    })
  })
  const seconds = (performance.now() - began) / 1000
  await consumer.disconnect()
  return checked(count) / seconds
}

function checked(count: number): number {
  if (count === RECORDS) return count
  throw new MillraceError('BAD_STATE', `read ${count} records instead of ${RECORDS}`)
}
