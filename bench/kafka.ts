/** @file A real Kafka broker for the length of a bench. */

import { join } from 'node:path'
import type { KafkaBroker, KafkaOptions } from '../scripts/kafka/broker.mjs'
import { packageFile } from '../topology/package-files.ts'

interface Scripts {
  startKafka(options: KafkaOptions): Promise<KafkaBroker>
  KAFKA_VERSION: string
}

/** Memory of the broker, MiB. */
const HEAP_MB = 1024

/** Nobody waits for members of a group that might come: that is no part of any figure, and takes 3 s a round. */
const PROPERTIES = { 'group.initial.rebalance.delay.ms': '0' }

/** Starts a broker with its data in `folder`, gives its address to `work`, and stops it. */
export async function withKafka<Result>(
  folder: string,
  work: (address: string) => Promise<Result>,
): Promise<Result> {
  const { startKafka } = await scripts()
  const broker = await startKafka({
    data: join(folder, 'kafka'),
    heapMb: HEAP_MB,
    properties: PROPERTIES,
  })
  try {
    return await work(broker.address())
  } finally {
    await broker.stop()
  }
}

/** The release of the broker. */
export async function kafkaVersion(): Promise<string> {
  return (await scripts()).KAFKA_VERSION
}

/** The scripts are JavaScript beside the build: found by path. */
async function scripts(): Promise<Scripts> {
  const [broker, jars] = await Promise.all([
    import(packageFile('scripts/kafka/broker.mjs')) as Promise<Pick<Scripts, 'startKafka'>>,
    import(packageFile('scripts/kafka/jars.mjs')) as Promise<Pick<Scripts, 'KAFKA_VERSION'>>,
  ])
  return { startKafka: broker.startKafka, KAFKA_VERSION: jars.KAFKA_VERSION }
}
