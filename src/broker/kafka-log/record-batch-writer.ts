/** @file Records -> the bytes of one record batch (message format 2), numbered so that brokers know a repetition. */

import { crc32c } from '../crc32c.ts'
import type { Compression } from '../options.ts'
import type { OutgoingRecord } from '../topic-log.ts'
import { BATCH, MESSAGE_FORMAT } from './batch-layout.ts'
import { codecNumber, compress } from './codecs.ts'
import { exactTime, TIME_HEADER, wholeTime } from './record-time.ts'
import { VarintWriter, varintLength } from './varint-writer.ts'

/** Records of one batch, encoded; the caller's keys and values are copied. */
export interface EncodedRecords {
  readonly body: Buffer
  readonly count: number
  readonly firstTime: number
  readonly maxTime: number
}

/** Who sends a batch, and which of its batches for the partition it is: KIP-98. */
export interface BatchIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly sequence: number
}

const HEADER_NAME = Buffer.from(TIME_HEADER)

/** Room for a record beside key and value, so that a batch rarely grows while it is written. */
const RECORD_BYTES = 24

/** Encodes the records in order. Hot loop: every record that is appended passes here. */
export function encodeRecords(records: readonly OutgoingRecord[]): EncodedRecords {
  const firstTime = wholeTime(records[0]?.timestampMs ?? 0)
  let maxTime = firstTime
  let room = 0
  for (const { key, value } of records) room += key.length + value.length + RECORD_BYTES
  const writer = new VarintWriter(room)
  for (let i = 0; i < records.length; i++) {
    const { key, value, timestampMs } = records[i]!
    const time = wholeTime(timestampMs)
    if (time > maxTime) maxTime = time
    writeRecord(writer, { key, value, timeDelta: time - firstTime, offsetDelta: i }, timestampMs)
  }
  return { body: writer.finish(), count: records.length, firstTime, maxTime }
}

interface RecordParts {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly timeDelta: number
  readonly offsetDelta: number
}

function writeRecord(writer: VarintWriter, parts: RecordParts, timestampMs: number): void {
  const { key, value, timeDelta, offsetDelta } = parts
  const exact = exactTime(timestampMs)
  const headerBytes =
    exact === undefined ? 0 : HEADER_NAME.length + exact.length + HEADER_LENGTH_BYTES
  const timeBytes = varintLength(timeDelta < 0 ? -timeDelta - 1 : timeDelta)
  const keyBytes = varintLength(key.length) + key.length
  const valueBytes = varintLength(value.length) + value.length
  writer.varint(2 + timeBytes + varintLength(offsetDelta) + keyBytes + valueBytes + headerBytes)
  writer.byte(0) // attributes of the record: none are defined
  writer.varint(timeDelta)
  writer.varint(offsetDelta)
  writer.varint(key.length)
  writer.raw(key)
  writer.varint(value.length)
  writer.raw(value)
  writer.varint(exact === undefined ? 0 : 1)
  if (exact === undefined) return
  writer.varint(HEADER_NAME.length)
  writer.raw(HEADER_NAME)
  writer.varint(exact.length)
  writer.raw(exact)
}

/** Of the two lengths in a time header, each below 64. */
const HEADER_LENGTH_BYTES = 2

/** The batch as a broker takes it. Deterministic: the same call gives the same bytes. */
export async function encodeBatch(
  { body, count, firstTime, maxTime }: EncodedRecords,
  { producerId, producerEpoch, sequence }: BatchIdentity,
  compression: Compression,
): Promise<Buffer> {
  const records = await compress(compression, body)
  const header = Buffer.alloc(BATCH.records)
  header.writeInt32BE(BATCH.records - BATCH.leaderEpoch + records.length, BATCH.length)
  header.writeInt32BE(-1, BATCH.leaderEpoch)
  header.writeInt8(MESSAGE_FORMAT, BATCH.magic)
  header.writeInt16BE(codecNumber(compression), BATCH.attributes)
  header.writeInt32BE(count - 1, BATCH.lastOffsetDelta)
  header.writeBigInt64BE(BigInt(firstTime), BATCH.firstTimestamp)
  header.writeBigInt64BE(BigInt(maxTime), BATCH.maxTimestamp)
  header.writeBigInt64BE(producerId, BATCH.producerId)
  header.writeInt16BE(producerEpoch, BATCH.producerEpoch)
  header.writeInt32BE(sequence, BATCH.baseSequence)
  header.writeInt32BE(count, BATCH.recordCount)
  const batch = Buffer.concat([header, records])
  batch.writeUInt32BE(crc32c(batch, BATCH.attributes), BATCH.crc)
  return batch
}
