/** @file A real broker for one test file: skipped loudly where Java or Maven is missing, a failure where CI is set. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe } from 'vitest'
import { type KafkaBroker, type KafkaOptions, startKafka } from '../../scripts/kafka/broker.mjs'
import { missingForKafka } from '../../scripts/kafka/jars.mjs'

/** The broker of the file, once `beforeAll` ran. */
export interface RealBroker {
  readonly kafka: KafkaBroker
  readonly brokers: readonly string[]
}

/** Longest start: the first one on a machine downloads the broker. */
const START_WITHIN_MS = 300_000

/** Runs the suite with a broker of its own, on free ports and in a temporary folder. */
export function withBroker(
  name: string,
  options: Omit<KafkaOptions, 'data'>,
  suite: (broker: RealBroker) => void,
): void {
  const missing = missingForKafka()
  if (missing.length > 0 && !process.env.CI) {
    const reason = `SKIPPED: ${name}: ${missing.join(' and ')} not installed`
    console.error(`\n*** ${reason} ***\n`)
    const absent: RealBroker = {
      get kafka() {
        return missingBroker()
      },
      brokers: [],
    }
    describe.skip(reason, () => suite(absent))
    return
  }
  describe(name, () => {
    let running: KafkaBroker | undefined
    const folder = mkdtempSync(join(tmpdir(), 'millrace-kafka-'))
    beforeAll(async () => {
      running = await startKafka({ ...options, data: folder })
    }, START_WITHIN_MS)
    afterAll(async () => {
      await running?.stop()
      rmSync(folder, { recursive: true, force: true })
    }, 60_000)
    suite({
      get kafka() {
        return running ?? missingBroker()
      },
      get brokers() {
        return [this.kafka.address()]
      },
    })
  })
}

/** Deletes every topic but those to keep, so that the next test finds an empty log. */
export async function deleteTopics(
  brokers: readonly string[],
  keep: readonly string[] = [],
): Promise<void> {
  const admin = plainClient(brokers).admin()
  await admin.connect()
  const topics = (await admin.listTopics()).filter(
    (topic) => !topic.startsWith('__') && !keep.includes(topic),
  )
  if (topics.length > 0) await admin.deleteTopics({ topics })
  await admin.disconnect()
}

/** kafkajs as it comes, to look at the broker without our code. */
export function plainClient(brokers: readonly string[]): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
}

function missingBroker(): KafkaBroker {
  throw new Error('the broker was not started')
}
