/** @file Short ways to write to a topic log and to look at what it gives back. */

import { expect } from 'vitest'
import type { OutgoingRecord, Position, RecordBatch, TopicLog } from '../../src/broker/topic-log.ts'

/** UTF-8. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
/** Back from UTF-8. */
export const text = (view: Uint8Array): string => new TextDecoder().decode(view)

/** A record of two short texts. */
export function record(
  key: string,
  value: string,
  timestampMs = 0,
  partition?: number,
): OutgoingRecord {
  const plain = { key: bytes(key), value: bytes(value), timestampMs }
  return partition === undefined ? plain : { ...plain, partition }
}

/** A batch as plain values, so that the kind of byte array does not matter. */
export function plain(batches: readonly RecordBatch[]): unknown[] {
  return batches.map(({ topic, partition, records, nextOffset }) => ({
    topic,
    partition,
    nextOffset,
    records: records.map((r) => [r.offset, text(r.key), text(r.value), r.timestampMs]),
  }))
}

/** The beginnings of all partitions. */
export const start = (topic: string, partitions: number): Position[] =>
  Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 }))

/** Reads one partition from `offset` to its end, `maxRecords` at a time. */
export async function readAll(
  log: TopicLog,
  from: Position,
  maxRecords: number,
): Promise<unknown[]> {
  const all: unknown[] = []
  for (let offset = from.offset; ; ) {
    const [batch] = await log.read([{ ...from, offset }], maxRecords)
    if (batch === undefined) return all
    expect(batch.records.length).toBeLessThanOrEqual(maxRecords)
    for (const r of batch.records) all.push([r.offset, text(r.key), text(r.value), r.timestampMs])
    offset = batch.nextOffset
  }
}
