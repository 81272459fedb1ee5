/** @file What other producers do to a topic: every codec, by our producer and by the broker itself, and transactions. */

import { Partitioners } from 'kafkajs'
import { afterEach, expect, test } from 'vitest'
import { type KafkaLog, openKafkaLog } from '../../src/broker/kafka-log/kafka-log.ts'
import { COMPRESSIONS, type KafkaLogOptions } from '../../src/broker/options.ts'
import { partitionOf } from '../../src/broker/partitioner.ts'
import { randomFrom } from '../../src/random.ts'
import { bytes, plain, readAll, record, text } from '../contracts/topic-log-probe.ts'
import { deleteTopics, plainClient, withBroker } from './real-broker.ts'

const SEED = 20_230_209
const START = { topic: 'events', partition: 0, offset: 0 }

withBroker('topics as others write them', {}, (broker) => {
  const opened: KafkaLog[] = []
  async function open(options: Partial<KafkaLogOptions> = {}): Promise<KafkaLog> {
    const log = await openKafkaLog({ brokers: broker.brokers, ...options })
    opened.push(log)
    return log
  }
  afterEach(async () => {
    for (const log of opened.splice(0)) await log.close()
    await deleteTopics(broker.brokers)
  })

  /** Texts of many lengths, some that compress well and some that do not, together more than one batch. */
  function values(): string[] {
    const random = randomFrom(SEED)
    return Array.from({ length: 3_000 }, (_, i) =>
      i % 2 === 0 ? 'x'.repeat(i % 1_500) : `${random.uniform()} ${random.uniform()}`,
    )
  }

  test.each(COMPRESSIONS)(
    'what our producer compresses with %s is read back',
    async (compression) => {
      const log = await open({ compression })
      await log.createTopic({ topic: 'events', partitions: 1, cleanup: 'delete' })
      const all = values()
      await log.append(
        'events',
        all.map((value, i) => record(`k${i}`, value, i)),
      )
      expect(await readAll(log, START, 700)).toEqual(all.map((value, i) => [i, `k${i}`, value, i]))
    },
  )

  test.each(['gzip', 'snappy', 'lz4', 'zstd'])(
    'what the broker compresses again with %s is read back',
    async (compression) => {
      const admin = plainClient(broker.brokers).admin()
      await admin.connect()
      const configEntries = [{ name: 'compression.type', value: compression }]
      await admin.createTopics({ topics: [{ topic: 'events', numPartitions: 1, configEntries }] })
      await admin.disconnect()
      const log = await open()
      const all = values()
      await log.append(
        'events',
        all.map((value, i) => record(`k${i}`, value, i)),
      )
      expect(await readAll(log, START, 700)).toEqual(all.map((value, i) => [i, `k${i}`, value, i]))
    },
  )

  test('aborted transactions are not seen, and the end of a committed one can be reached', async () => {
    const log = await open()
    await log.createTopic({ topic: 'events', partitions: 1, cleanup: 'delete' })
    const producer = plainClient(broker.brokers).producer({
      transactionalId: 'others',
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    for (const [value, commit] of [
      ['first', true],
      ['aborted', false],
      ['second', true],
    ] as const) {
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'events', messages: [{ key: 'k', value, timestamp: '5' }] })
      if (commit) await transaction.commit()
      else await transaction.abort()
    }
    await producer.disconnect()
    // Offsets 0, 2 and 4 hold records, each followed by a marker; 2 was aborted. The broker acknowledges an end before its marker is there.
    const bounds = async (): Promise<unknown> => (await log.bounds('events'))[0]
    await expect.poll(bounds, { timeout: 20_000 }).toMatchObject({ earliest: 0, latest: 6 })
    expect(plain(await log.read([START], 10))).toEqual([
      {
        topic: 'events',
        partition: 0,
        nextOffset: 6,
        records: [
          [0, 'k', 'first', 5],
          [4, 'k', 'second', 5],
        ],
      },
    ])
    const [one] = await log.read([START], 1)
    expect(one).toMatchObject({ nextOffset: 4, records: [{ offset: 0 }] })
    const [last] = await log.read([{ ...START, offset: 4 }], 1)
    expect(last).toMatchObject({ nextOffset: 6, records: [{ offset: 4 }] })
  })

  test('absent keys and values of other producers are empty, and headers do not disturb', async () => {
    const log = await open()
    await log.createTopic({ topic: 'events', partitions: 1, cleanup: 'delete' })
    const producer = plainClient(broker.brokers).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    const headers = { trace: 'abc', many: ['1', '2'] }
    await producer.send({
      topic: 'events',
      messages: [
        { key: null, value: null, headers, timestamp: '7' },
        { value: 'v', headers, timestamp: '8' },
      ],
    })
    await producer.disconnect()
    expect(await readAll(log, START, 10)).toEqual([
      [0, '', '', 7],
      [1, '', 'v', 8],
    ])
  })

  test('a key goes where the partitioner of other producers puts it', async () => {
    const log = await open()
    await log.createTopic({ topic: 'events', partitions: 7, cleanup: 'delete' })
    const keys = Array.from({ length: 200 }, (_, i) => `user-${i * 7919}`)
    const producer = plainClient(broker.brokers).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    await producer.send({ topic: 'events', messages: keys.map((key) => ({ key, value: key })) })
    await producer.disconnect()
    const positions = Array.from({ length: 7 }, (_, partition) => ({ ...START, partition }))
    const batches = await log.read(positions, 1_000)
    // Their client sends again what a slow broker did not acknowledge in time, so keys are counted and not records.
    const found = new Set(batches.flatMap(({ records }) => records.map(({ key }) => text(key))))
    expect(found.size).toBe(keys.length)
    for (const { partition, records } of batches) {
      for (const { key } of records) expect(partitionOf(key, 7), text(key)).toBe(partition)
    }
  })

  test('reads large records a batch at a time, whatever was asked for', async () => {
    const log = await open({ maxRecordBytes: 3 << 20 })
    await log.createTopic({ topic: 'events', partitions: 2, cleanup: 'delete' })
    const large = (i: number) => new Uint8Array((3 << 20) - 100).fill(i)
    for (let i = 0; i < 8; i++) {
      const partition = i % 2
      await log.append('events', [{ key: bytes('k'), value: large(i), timestampMs: i, partition }])
    }
    const positions = [0, 1].map((partition) => ({ ...START, partition }))
    const batches = await log.read(positions, 1_000)
    expect(batches.map(({ records }) => records.map(({ value }) => value[0]))).toEqual([
      [0, 2, 4, 6],
      [1, 3, 5, 7],
    ])
  })

  test('event times far ahead of the clock of the broker are taken', async () => {
    const log = await open()
    await log.createTopic({ topic: 'events', partitions: 1, cleanup: 'delete' })
    const farAhead = 32_503_680_000_000
    await log.append('events', [record('k', 'v', farAhead)])
    expect(await readAll(log, START, 1)).toEqual([[0, 'k', 'v', farAhead]])
  })
})
