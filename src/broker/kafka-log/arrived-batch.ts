/**
 * @file Looks for a batch whose acknowledgement was lost. The broker's own memory of what a producer sent does not suffice: when it
 * recovers its log after a crash it forgets every producer whose newest record is older than producer.id.expiration.ms, and the
 * time of our records is event time.
 */

import { createErrorFromCode } from 'kafkajs/src/protocol/error.js'
import type { Position } from '../topic-log.ts'
import { BATCH } from './batch-layout.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import type { PartitionBatch } from './produce-request.ts'

/** Bytes of one fetch. A batch that is larger comes whole. */
const FETCH_BYTES = 1 << 20

/** The offset of the batch's first record when the log has it at `from` or later; the node must lead the partition. */
export async function arrivedAt(
  connection: KafkaConnection,
  leader: number,
  { topic, partition, batch }: PartitionBatch,
  from: number,
): Promise<number | undefined> {
  const bounds = (await connection.bounds(topic))[partition]
  if (bounds === undefined) return undefined
  const { earliest, latest } = bounds
  for (let offset = Math.max(from, earliest); offset < latest; ) {
    const { bytes, end } = await fetchAt(connection, leader, { topic, partition, offset })
    const found = findBatch(bytes, batch)
    if (found.at !== undefined) return found.at
    if (found.nextOffset <= offset || offset >= end) return undefined
    offset = found.nextOffset
  }
  return undefined
}

async function fetchAt(connection: KafkaConnection, leader: number, at: Position) {
  const options = { positions: [at], partitionBytes: FETCH_BYTES, waitMs: 0 }
  const [fetched] = await connection.fetch(leader, options)
  if (fetched === undefined) return { bytes: Buffer.alloc(0), end: 0 }
  if (fetched.errorCode !== 0) throw createErrorFromCode(fetched.errorCode)
  return fetched
}

/** The batch with the same producer, epoch and sequence; else how far the complete batches go. */
function findBatch(
  bytes: Buffer,
  wanted: Buffer,
): { readonly at: number | undefined; readonly nextOffset: number } {
  let nextOffset = 0
  for (let start = 0; start + BATCH.records <= bytes.length; ) {
    const end = start + BATCH.leaderEpoch + bytes.readInt32BE(start + BATCH.length)
    const batch = bytes.subarray(start)
    const at = Number(batch.readBigInt64BE(BATCH.baseOffset))
    if (identityOf(batch).equals(identityOf(wanted))) return { at, nextOffset }
    if (end > bytes.length) break
    nextOffset = at + batch.readInt32BE(BATCH.lastOffsetDelta) + 1
    start = end
  }
  return { at: undefined, nextOffset }
}

/** Producer id, producer epoch and base sequence: no two batches of a partition share them. */
function identityOf(batch: Buffer): Buffer {
  return batch.subarray(BATCH.producerId, BATCH.recordCount)
}
