/**
 * @file The bytes of a fetched partition -> records: Kafka's record batches (message format 2), checksums checked,
 * compressed ones opened, control records and aborted transactions left out.
 */

import { MillraceError } from '../../errors.ts'
import { crc32c } from '../crc32c.ts'
import type { LogRecord } from '../topic-log.ts'
import { ATTRIBUTES, BATCH, MESSAGE_FORMAT } from './batch-layout.ts'
import { decompress } from './codecs.ts'
import { timeFromHeader } from './record-time.ts'
import { VarintReader } from './varint-reader.ts'

/** A producer whose transaction, begun at this offset, was aborted. */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

/** Records in offset order and the offset after all batches that were read, those without visible records included. */
export interface DecodedRecords {
  readonly records: LogRecord[]
  readonly nextOffset: number
}

/**
 * Decodes the complete batches in `bytes`; the last one may be cut off, as a fetch has a size. Records before `from` are left
 * out. CORRUPT when a checksum does not match, BROKER for a format or a codec that is not known.
 */
export async function decodeRecords(
  bytes: Buffer,
  from: number,
  aborted: readonly AbortedTransaction[] = [],
): Promise<DecodedRecords> {
  const skipped = new AbortedProducers(aborted)
  const records: LogRecord[] = []
  let nextOffset = from
  for (let at = 0; at + BATCH.records <= bytes.length; ) {
    const end = at + BATCH.leaderEpoch + bytes.readInt32BE(at + BATCH.length)
    if (end > bytes.length) break
    const batch = bytes.subarray(at, end)
    checkBatch(batch)
    const baseOffset = Number(batch.readBigInt64BE(BATCH.baseOffset))
    nextOffset = Math.max(from, baseOffset + batch.readInt32BE(BATCH.lastOffsetDelta) + 1)
    if (skipped.shows(batch, baseOffset)) {
      const codec = batch.readInt16BE(BATCH.attributes) & ATTRIBUTES.codec
      const body = batch.subarray(BATCH.records)
      readBatch(batch, codec === 0 ? body : await decompress(codec, body), from, records)
    }
    at = end
  }
  return { records, nextOffset }
}

function checkBatch(batch: Buffer): void {
  const magic = batch.readInt8(BATCH.magic)
  const offset = Number(batch.readBigInt64BE(BATCH.baseOffset))
  if (magic !== MESSAGE_FORMAT) {
    throw new MillraceError(
      'BROKER',
      `the records at offset ${offset} have message format ${magic}`,
      {
        remedy: 'Only format 2 (Kafka 0.11 and later) is read: let the broker convert the topic.',
      },
    )
  }
  if (crc32c(batch, BATCH.attributes) !== batch.readUInt32BE(BATCH.crc)) {
    throw new MillraceError('CORRUPT', `the records at offset ${offset} fail their checksum`, {
      remedy: 'Read them again; if it stays, the disk of the broker or the network is damaged.',
    })
  }
}

/** Hot loop: every record that is consumed passes here. */
function readBatch(batch: Buffer, body: Buffer, from: number, into: LogRecord[]): void {
  const baseOffset = Number(batch.readBigInt64BE(BATCH.baseOffset))
  const firstTime = Number(batch.readBigInt64BE(BATCH.firstTimestamp))
  const appendTime =
    (batch.readInt16BE(BATCH.attributes) & ATTRIBUTES.logAppendTime) === 0
      ? undefined
      : Number(batch.readBigInt64BE(BATCH.maxTimestamp))
  const count = batch.readInt32BE(BATCH.recordCount)
  const reader = new VarintReader(body)
  for (let i = 0; i < count; i++) {
    const length = reader.varint()
    const end = reader.at + length
    reader.at += 1 // attributes of the record: none are defined
    const timeDelta = reader.varlong()
    const offset = baseOffset + reader.varint()
    if (offset >= from) {
      const key = reader.view()
      const value = reader.view()
      const headerTime = readHeaders(reader)
      into.push({
        offset,
        key,
        value,
        timestampMs: headerTime ?? appendTime ?? firstTime + timeDelta,
      })
    }
    reader.at = end
  }
}

function readHeaders(reader: VarintReader): number | undefined {
  let time: number | undefined
  for (let left = reader.varint(); left > 0; left--) {
    const name = reader.view().toString()
    time = timeFromHeader(name, reader.view()) ?? time
  }
  return time
}

/** Which batches a reader of committed records sees (KIP-98): not the markers, not what was aborted. */
class AbortedProducers {
  readonly #waiting: AbortedTransaction[]
  readonly #active = new Set<bigint>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#waiting = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** To be asked of every batch, in order. */
  shows(batch: Buffer, baseOffset: number): boolean {
    const attributes = batch.readInt16BE(BATCH.attributes)
    if ((attributes & ATTRIBUTES.transactional) === 0)
      return (attributes & ATTRIBUTES.control) === 0
    const producerId = batch.readBigInt64BE(BATCH.producerId)
    while ((this.#waiting[0]?.firstOffset ?? Number.POSITIVE_INFINITY) <= baseOffset) {
      const begun = this.#waiting.shift()
      if (begun !== undefined) this.#active.add(begun.producerId)
    }
    if ((attributes & ATTRIBUTES.control) === 0) return !this.#active.has(producerId)
    // A marker ends its producer's transaction, whether it was aborted or committed.
    this.#active.delete(producerId)
    return false
  }
}
