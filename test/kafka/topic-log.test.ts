/** @file The log on Kafka keeps the same contract as the embedded ones, against a real broker. */

import { type KafkaLog, openKafkaLog } from '../../src/broker/kafka-log/kafka-log.ts'
import { topicLogContract } from '../contracts/topic-log.contract.ts'
import { deleteTopics, withBroker } from './real-broker.ts'

withBroker('kafka-log', {}, (broker) => {
  topicLogContract('kafka-log', { durable: true }, async () => {
    const opened: KafkaLog[] = []
    const open = async (): Promise<KafkaLog> => {
      const log = await openKafkaLog({ brokers: broker.brokers })
      opened.push(log)
      return log
    }
    return {
      log: await open(),
      reopen: async () => {
        await opened.at(-1)?.close()
        return open()
      },
      dispose: async () => {
        for (const log of opened) await log.close()
        await deleteTopics(broker.brokers)
      },
    }
  })
})
