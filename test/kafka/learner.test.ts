/** @file The learner from end to end over Kafka: it ends as on the embedded log, and tools see where it stands. */

import { afterEach, expect, test } from 'vitest'
import { type KafkaLog, openKafkaLog } from '../../src/broker/kafka-log/kafka-log.ts'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import type { TopicLog } from '../../src/broker/topic-log.ts'
import { unaccounted } from '../../src/observe/accounting.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { learnWhole } from '../topology/learn-whole.ts'
import { produceWorld, smallJob, temporaryFolder } from '../topology/temporary-job.ts'
import { EVENT_TOPICS, kafkaJob } from './kafka-job.ts'
import { deleteTopics, plainClient, withBroker } from './real-broker.ts'

const IMPRESSIONS = 1_500

withBroker('a learner over Kafka', {}, (broker) => {
  const opened: KafkaLog[] = []
  afterEach(async () => {
    for (const log of opened.splice(0)) await log.close()
    await deleteTopics(broker.brokers)
  })
  async function open(): Promise<KafkaLog> {
    const log = await openKafkaLog({ brokers: broker.brokers })
    opened.push(log)
    return log
  }

  test('ends in the state, with the versions and the accounting of the run on the embedded log', async () => {
    const memory = new MemoryLog()
    await produceWorld(smallJob(temporaryFolder()), memory, IMPRESSIONS)
    const embedded = await learnWhole({
      job: smallJob(temporaryFolder()),
      log: memory,
      engine: plainEngine('float32'),
    })

    const log = await open()
    const folder = temporaryFolder()
    const job = kafkaJob(folder, broker.brokers)
    await produceWorld(job, log, IMPRESSIONS)
    for (const topic of EVENT_TOPICS) {
      expect(await ends(log, topic), topic).toEqual(await ends(memory, topic))
    }
    const learned = await learnWhole({ job, log, engine: plainEngine('float32') })

    expect(learned.stages.learner.samples).toBe(embedded.stages.learner.samples)
    const accounting = learned.stages.intake.accounting()
    expect(accounting).toEqual(embedded.stages.intake.accounting())
    expect(accounting.map(unaccounted)).toEqual(accounting.map(() => 0))
    expect(learned.run.stateHash()).toBe(embedded.run.stateHash())
    expect(await versions(log)).toEqual(await versions(memory))
    await memory.close()
  })

  test('commits the offsets of every checkpoint for its group, and never reads from them', async () => {
    const log = await open()
    const job = kafkaJob(temporaryFolder(), broker.brokers)
    await produceWorld(job, log, IMPRESSIONS)
    await learnWhole({ job, log, engine: plainEngine('float32') })
    const admin = plainClient(broker.brokers).admin()
    await admin.connect()
    const committed = await admin.fetchOffsets({ groupId: job.name, topics: EVENT_TOPICS })
    await admin.disconnect()
    for (const { topic, partitions } of committed) {
      const offsets = partitions.toSorted((a, b) => a.partition - b.partition)
      expect(
        offsets.map(({ offset }) => Number(offset)),
        topic,
      ).toEqual(await ends(log, topic))
    }
    // A new state folder begins at the beginning, whatever the group committed.
    await deleteTopics(broker.brokers, EVENT_TOPICS)
    const again = await learnWhole({
      job: kafkaJob(temporaryFolder(), broker.brokers),
      log,
      engine: plainEngine('float32'),
    })
    expect(again.stages.learner.samples).toBeGreaterThan(IMPRESSIONS * 0.9)
  })
})

async function ends(log: TopicLog, topic: string): Promise<number[]> {
  return (await log.bounds(topic)).map(({ latest }) => latest)
}

/** sha256 of every chunk on the model topic, in order. */
async function versions(log: TopicLog): Promise<string[]> {
  const codec = openChunkCodec()
  const found: string[] = []
  for (let offset = 0; ; ) {
    const [batch] = await log.read([{ topic: 'model', partition: 0, offset }], 100)
    if (batch === undefined) return found
    for (const { value } of batch.records) {
      const decoded = codec.decode(value)
      if (decoded.kind !== 'chunk') throw new Error(decoded.reason)
      found.push(decoded.chunk.sha256)
    }
    offset = batch.nextOffset
  }
}
