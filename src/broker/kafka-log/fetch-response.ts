/** @file The body of a Fetch response (version 11) -> what it says of each partition, with views on the record bytes. */

import type { TopicPartition } from '../../ids.ts'
import { FieldReader } from './field-reader.ts'
import type { AbortedTransaction } from './record-batch.ts'

/** The answer for one partition. */
export interface FetchedPartition extends TopicPartition {
  /** Kafka's error code; 0 is success. */
  readonly errorCode: number
  /** Readers of committed records see what is before this offset. */
  readonly end: number
  readonly aborted: readonly AbortedTransaction[]
  /** Record batches, the last one perhaps cut off. */
  readonly bytes: Buffer
}

/** What kafkajs needs to know of a response, beside the partitions. */
export interface FetchResponse {
  readonly clientSideThrottleTime: number
  /** Of the request as a whole. */
  readonly errorCode: number
  readonly partitions: readonly FetchedPartition[]
}

/** `body`: after the correlation id. */
export function readFetchResponse(body: Buffer): FetchResponse {
  const reader = new FieldReader(body)
  const clientSideThrottleTime = reader.int32()
  const errorCode = reader.int16()
  reader.int32() // fetch session: none is kept
  const partitions: FetchedPartition[] = []
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topic = reader.text()
    for (let left = reader.int32(); left > 0; left--) partitions.push(readPartition(topic, reader))
  }
  return { clientSideThrottleTime, errorCode, partitions }
}

function readPartition(topic: string, reader: FieldReader): FetchedPartition {
  const partition = reader.int32()
  const errorCode = reader.int16()
  reader.int64() // high watermark
  const end = Number(reader.int64())
  reader.int64() // first offset kept
  const aborted: AbortedTransaction[] = []
  for (let left = reader.int32(); left > 0; left--) {
    aborted.push({ producerId: reader.int64(), firstOffset: Number(reader.int64()) })
  }
  reader.int32() // preferred replica: always the leader here
  return { topic, partition, errorCode, end, aborted, bytes: reader.bytes() }
}
