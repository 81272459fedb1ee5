/** @file What one of several trainers has brought to their meetings: its partition of `<job>.exchange`, in pieces, read as it comes. */

import type { TopicLog } from '../src/broker/topic-log.ts'
import { ByteReader, ByteWriter } from '../src/bytes.ts'
import { MillraceError } from '../src/errors.ts'
import { partitionName, type TopicPartition } from '../src/ids.ts'
import { ClaimFilter } from './claimed-partition.ts'
import { earliestOffset } from './earliest-offset.ts'

/** A piece of a contribution: below the limit that any broker has. */
const CHUNK_BYTES = 500_000

/** Of the fields of a piece that are the same in all pieces of a contribution: round, last, length. */
const NAME_BYTES = 13

const READ_RECORDS = 100
const WAIT_MS = 200

/** No round: before the first one. */
export const NO_ROUND = -1

/** What one trainer brings to a round. */
export interface Contribution {
  readonly round: number
  /** Nothing more will come from it. */
  readonly last: boolean
  /** Round under way in its newest durable checkpoint, `NO_ROUND` without one: it never needs an earlier one again. */
  readonly safe: number
  /** Users that it erased since the last round. */
  readonly erased: readonly string[]
  /** Changes of its weights; no bytes when it has learned nothing. */
  readonly delta: Uint8Array
}

/** The contribution as records. */
export function cut({ round, last, safe, erased, delta }: Contribution): Uint8Array[] {
  const body = new ByteWriter(delta.length + 64).json(erased).bytes(delta).finish()
  const pieces: Uint8Array[] = []
  for (let at = 0; at < body.length; at += CHUNK_BYTES) {
    const bytes = body.subarray(at, at + CHUNK_BYTES)
    const writer = new ByteWriter(bytes.length + 32).f64(round).u8(last ? 1 : 0)
    pieces.push(writer.u32(body.length).u32(at).f64(safe).raw(bytes).finish())
  }
  return pieces
}

/** A contribution whose pieces are not all here yet. */
interface Unfinished {
  readonly name: Uint8Array
  readonly body: Uint8Array
  /** Of its first piece. */
  readonly offset: number
  filled: number
}

/** A whole one. */
interface Brought {
  readonly offset: number
  readonly body: Uint8Array
}

/** Rounds of one trainer have consecutive numbers. */
export class TrainerPartition {
  readonly #log: TopicLog
  readonly #at: TopicPartition
  readonly #filter = new ClaimFilter()
  readonly #rounds = new Map<number, Brought>()
  /** Where the first piece of a round is, of the rounds that are still on the topic. */
  readonly #offsets = new Map<number, number>()
  #offset: number | undefined
  /** Whether records were gone when it was first read. */
  #trimmed = false
  #oldest: number | undefined
  #newest = NO_ROUND
  #piece: Unfinished | undefined
  /** Its last round; undefined while more may come. */
  lastRound: number | undefined
  /** As it said last. */
  safe = NO_ROUND

  constructor(log: TopicLog, at: TopicPartition) {
    this.#log = log
    this.#at = at
  }

  /** Whether it is past this round, or brought something to it. */
  knows(round: number): boolean {
    return this.#newest >= round || this.lastRound !== undefined
  }

  /** Resolves when everything that it brings to this round is here. */
  async waitFor(round: number): Promise<void> {
    while (!this.knows(round)) {
      await this.#log.waitForRecords([{ ...this.#at, offset: await this.#position() }], WAIT_MS)
      await this.read()
    }
  }

  /** Rounds before this one that it brought something to, and that were not taken yet. CORRUPT when some may be gone. */
  roundsBefore(round: number): number[] {
    if (this.#trimmed) throw this.#gone(round)
    return [...this.#rounds.keys()].filter((known) => known < round)
  }

  /** Its part of a round; undefined where it had none. Earlier rounds are forgotten. CORRUPT when it is gone. */
  take(round: number): Pick<Contribution, 'erased' | 'delta'> | undefined {
    if (this.#trimmed && round < (this.#oldest ?? Number.POSITIVE_INFINITY)) throw this.#gone(round)
    for (const known of this.#rounds.keys()) if (known < round) this.#rounds.delete(known)
    const brought = this.#rounds.get(round)
    if (brought === undefined) return undefined
    const reader = new ByteReader(brought.body)
    return { erased: reader.json() as string[], delta: reader.bytes() }
  }

  /** Where a round begins on the topic; undefined when it is not there, or was forgotten. */
  offsetOf(round: number): number | undefined {
    return this.#offsets.get(round)
  }

  /** Nobody will ask where an earlier round begins. */
  forgetBefore(round: number): void {
    for (const known of this.#offsets.keys()) if (known < round) this.#offsets.delete(known)
  }

  async read(): Promise<void> {
    for (;;) {
      const offset = await this.#position()
      const [batch] = await this.#log.read([{ ...this.#at, offset }], READ_RECORDS)
      if (batch === undefined) return
      for (const record of batch.records) {
        const payload = this.#filter.payload(record)
        if (payload !== undefined) this.#add(payload, record.offset)
      }
      this.#offset = batch.nextOffset
    }
  }

  async #position(): Promise<number> {
    if (this.#offset !== undefined) return this.#offset
    this.#offset = await earliestOffset(this.#log, this.#at)
    this.#trimmed = this.#offset > 0
    return this.#offset
  }

  #gone(round: number): MillraceError {
    return new MillraceError(
      'CORRUPT',
      `${partitionName(this.#at)} does not have round ${round} any more, which this trainer has not met in yet`,
      {
        remedy:
          'the checkpoints of a trainer and the exchange belong together: put its state folder back, or start all trainers anew under another job name',
      },
    )
  }

  /** A round that a restarted trainer brings again is the same one: the first whole copy counts. */
  #add(payload: Uint8Array, offset: number): void {
    const reader = new ByteReader(payload)
    const name = payload.subarray(0, NAME_BYTES)
    const round = reader.f64()
    const last = reader.u8() === 1
    const length = reader.u32()
    const at = reader.u32()
    const safe = reader.f64()
    const bytes = reader.raw(reader.remaining)
    if (at === 0) this.#piece = { name, body: new Uint8Array(length), offset, filled: 0 }
    const piece = this.#piece
    if (piece === undefined || piece.filled !== at || Buffer.compare(piece.name, name) !== 0) return
    piece.body.set(bytes, at)
    piece.filled += bytes.length
    if (piece.filled < length) return
    this.#piece = undefined
    this.safe = Math.max(this.safe, safe)
    if (round > this.#newest) {
      this.#oldest ??= round
      this.#rounds.set(round, piece)
      this.#offsets.set(round, piece.offset)
      this.#newest = round
    }
    if (last) this.lastRound = Math.max(this.lastRound ?? round, round)
  }
}
