/**
 * @file A partition with one writer at a time, fenced by the log itself: a writer begins with a claim, and the offset of the claim is
 * its epoch. A record counts if no later claim lies before it, whoever reads; so a writer that was replaced cannot be heard.
 */

import type { LogRecord, OutgoingRecord, RecordBatch, TopicLog } from '../src/broker/topic-log.ts'
import { ByteReader, ByteWriter } from '../src/bytes.ts'
import { MillraceError } from '../src/errors.ts'
import { partitionName, type TopicPartition } from '../src/ids.ts'
import { earliestOffset } from './earliest-offset.ts'

const CLAIM = 0
const CONTENT = 1

/** Records of one read. */
const READ_RECORDS = 500

const NO_KEY = new Uint8Array(0)

/** Tells which records of a claimed partition count, read in order from anywhere on. */
export class ClaimFilter {
  /** The claim in force; undefined at the start of a log that was trimmed behind it. */
  #epoch: number | undefined

  /** The payload of a record that counts; undefined for claims and for what a replaced writer wrote. */
  payload(record: LogRecord): Uint8Array | undefined {
    const reader = new ByteReader(record.value)
    if (reader.u8() === CLAIM) {
      this.#epoch = record.offset
      return undefined
    }
    const epoch = reader.f64()
    this.#epoch ??= epoch
    return epoch === this.#epoch ? reader.raw(reader.remaining) : undefined
  }
}

/** A record that counts. */
export interface ClaimedRecord {
  readonly offset: number
  readonly payload: Uint8Array
}

/** The writing side. Every append is checked: FENCED when somebody else claimed the partition meanwhile. */
export class ClaimedPartition {
  readonly #log: TopicLog
  readonly at: TopicPartition
  /** Offset of the claim. */
  readonly epoch: number
  #next: number

  private constructor(log: TopicLog, at: TopicPartition, epoch: number) {
    this.#log = log
    this.at = at
    this.epoch = epoch
    this.#next = epoch + 1
  }

  /** Claims the partition; `who` is written down for people. */
  static async claim(log: TopicLog, at: TopicPartition, who: string): Promise<ClaimedPartition> {
    const value = new ByteWriter().u8(CLAIM).text(who).finish().slice()
    const [claim] = await log.append(at.topic, [record(at, value)])
    return new ClaimedPartition(log, at, claim?.offset ?? 0)
  }

  /** What counts of everything before the claim. */
  async *history(): AsyncGenerator<ClaimedRecord> {
    const filter = new ClaimFilter()
    for (let offset = await earliestOffset(this.#log, this.at); offset < this.epoch; ) {
      const [batch] = await this.#log.read([{ ...this.at, offset }], READ_RECORDS)
      if (batch === undefined) return
      for (const one of batch.records) {
        if (one.offset >= this.epoch) return
        const payload = filter.payload(one)
        if (payload !== undefined) yield { offset: one.offset, payload }
      }
      offset = batch.nextOffset
    }
  }

  /** Appends and checks; resolves with the offset of the first. Nothing may be done on its account before it resolves. */
  async append(payloads: readonly Uint8Array[]): Promise<number> {
    const [appended] = await appendClaimed(this.#log, [{ partition: this, payloads }])
    if (appended?.kind === 'fenced') throw appended.error
    return appended?.offset ?? this.#next
  }

  /** Forgets what lies before the offset of a record of this claim. */
  async trim(offset: number): Promise<void> {
    await this.#log.trim?.({ ...this.at, offset })
  }

  /** The records to append. */
  framed(payloads: readonly Uint8Array[]): OutgoingRecord[] {
    return payloads.map((payload) => {
      const writer = new ByteWriter(payload.length + 16).u8(CONTENT).f64(this.epoch).raw(payload)
      return record(this.at, writer.finish())
    })
  }

  /** What became of an append: nobody else was here if its offsets go on from the last ones. */
  async outcome(offset: number, count: number): Promise<ClaimedAppend> {
    const expected = this.#next
    this.#next = offset + count
    for (let at = expected; at < offset; ) {
      const between = await this.#readFrom(at)
      if (between === 'gone')
        return { kind: 'fenced', error: this.#fenced('was trimmed by its next owner') }
      const [batch] = between
      if (batch === undefined) break
      // Only a claim replaces this writer: what a writer before it still appends does not count.
      const claim = batch.records.find((one) => one.offset < offset && one.value[0] === CLAIM)
      if (claim !== undefined) return { kind: 'fenced', error: this.#fencedBy(claim) }
      at = batch.nextOffset
    }
    return { kind: 'appended', offset }
  }

  /** `gone` when a later owner has trimmed it away, claim and all: this one never trims what it has not written yet. */
  async #readFrom(offset: number): Promise<readonly RecordBatch[] | 'gone'> {
    try {
      return await this.#log.read([{ ...this.at, offset }], READ_RECORDS)
    } catch (thrown) {
      if ((await earliestOffset(this.#log, this.at)) > offset) return 'gone'
      throw thrown
    }
  }

  #fencedBy({ offset, value }: LogRecord): MillraceError {
    const who = new ByteReader(value.subarray(1)).text()
    return this.#fenced(`was claimed by ${who} at offset ${offset}`)
  }

  #fenced(how: string): MillraceError {
    return new MillraceError('FENCED', `${partitionName(this.at)} ${how}`, {
      remedy: 'this process was replaced and stops writing; nothing is lost',
    })
  }
}

/** What became of an append to a claimed partition. */
export type ClaimedAppend =
  | { readonly kind: 'appended'; readonly offset: number }
  | { readonly kind: 'fenced'; readonly error: MillraceError }

/** One append to several partitions of one topic; each is checked. */
export async function appendClaimed(
  log: TopicLog,
  parts: readonly {
    readonly partition: ClaimedPartition
    readonly payloads: readonly Uint8Array[]
  }[],
): Promise<readonly ClaimedAppend[]> {
  const [first] = parts
  if (first === undefined) return []
  const { topic } = first.partition.at
  const records = parts.flatMap(({ partition, payloads }) => partition.framed(payloads))
  const positions = await log.append(topic, records)
  const outcomes: ClaimedAppend[] = []
  let place = 0
  for (const { partition, payloads } of parts) {
    const offset = positions[place]?.offset ?? 0
    place += payloads.length
    outcomes.push(await partition.outcome(offset, payloads.length))
  }
  return outcomes
}

function record({ partition }: TopicPartition, value: Uint8Array): OutgoingRecord {
  return { key: NO_KEY, value, timestampMs: 0, partition }
}
