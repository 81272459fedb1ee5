/** @file Produce (version 7) as bytes: one batch for each of some partitions, and what the broker says of each. */

import type { TopicPartition } from '../../ids.ts'
import { FieldReader } from './field-reader.ts'

/** A batch for a partition. */
export interface PartitionBatch extends TopicPartition {
  readonly batch: Buffer
}

/** The answer for one partition. */
export interface ProducedPartition extends TopicPartition {
  /** Kafka's error code; 0 is success. */
  readonly errorCode: number
  readonly baseOffset: number
}

/** What kafkajs needs to know of a response, beside the partitions. */
export interface ProduceResponse {
  readonly clientSideThrottleTime: number
  readonly partitions: readonly ProducedPartition[]
}

export const PRODUCE = { apiKey: 0, apiVersion: 7, apiName: 'Produce' } as const

/** Of all replicas in sync. */
const ACKNOWLEDGEMENTS = -1

/** The body of a request; the broker answers with an error when the replicas take longer than `timeoutMs`. */
export function writeProduceRequest(batches: readonly PartitionBatch[], timeoutMs: number): Buffer {
  const head = Buffer.alloc(12)
  head.writeInt16BE(-1, 0) // no transaction
  head.writeInt16BE(ACKNOWLEDGEMENTS, 2)
  head.writeInt32BE(timeoutMs, 4)
  head.writeInt32BE(batches.length, 8)
  return Buffer.concat([head, ...batches.flatMap(topicEntry)])
}

/** A topic may be named several times: one entry for each partition keeps this simple. */
function topicEntry({ topic, partition, batch }: PartitionBatch): Buffer[] {
  const name = Buffer.from(topic)
  const head = Buffer.alloc(2 + name.length + 12)
  head.writeInt16BE(name.length, 0)
  name.copy(head, 2)
  head.writeInt32BE(1, 2 + name.length)
  head.writeInt32BE(partition, 6 + name.length)
  head.writeInt32BE(batch.length, 10 + name.length)
  return [head, batch]
}

/** `body`: after the correlation id. */
export function readProduceResponse(body: Buffer): ProduceResponse {
  const reader = new FieldReader(body)
  const partitions: ProducedPartition[] = []
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topic = reader.text()
    for (let left = reader.int32(); left > 0; left--) {
      const partition = reader.int32()
      const errorCode = reader.int16()
      const baseOffset = Number(reader.int64())
      reader.int64() // time of the append
      reader.int64() // first offset kept
      partitions.push({ topic, partition, errorCode, baseOffset })
    }
  }
  return { clientSideThrottleTime: reader.int32(), partitions }
}
