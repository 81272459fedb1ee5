/**
 * @file The meetings of several trainers: at fixed points of event time each writes what it changed to its partition of the topic
 * `<job>.exchange`, waits for the others, and all go on with the same weights. So the result depends on the samples alone,
 * and a trainer that runs again after a crash finds the same meetings.
 */

import type { TopicLog } from '../src/broker/topic-log.ts'
import { ByteReader, ByteWriter } from '../src/bytes.ts'
import type { MiniBatch } from '../src/samples/mini-batcher.ts'
import type { Stage } from '../src/stage.ts'
import type { WeightExchange } from '../src/train/weight-exchange.ts'
import { ClaimedPartition, ClaimFilter } from './claimed-partition.ts'
import type { Share } from './sample-inputs.ts'

/** A piece of a delta: below the limit that any broker has. */
const CHUNK_BYTES = 500_000

const READ_RECORDS = 100
const WAIT_MS = 200

const NOTHING = new Uint8Array(0)

/** What one trainer brings to a round. */
interface Contribution {
  readonly round: number
  /** Nothing more will come from it. */
  readonly last: boolean
  readonly delta: Uint8Array
}

export interface TrainerExchangeOptions {
  readonly log: TopicLog
  readonly topic: string
  readonly share: Share
  /** Event time between two meetings, ms. */
  readonly everyMs: number
  /** How this process is called in claims. */
  readonly owner: string
  readonly weights: WeightExchange
}

/** Round r ends where event time leaves its slice of `everyMs`, aligned to 1970. The state is the round under way, and the weights' own. */
export class TrainerExchange implements Stage {
  readonly #options: TrainerExchangeOptions
  readonly #own: ClaimedPartition
  readonly #trainers: readonly TrainerPartition[]
  /** Round under way; -1 before the first sample. */
  #round = -1

  private constructor(
    options: TrainerExchangeOptions,
    own: ClaimedPartition,
    trainers: readonly TrainerPartition[],
  ) {
    this.#options = options
    this.#own = own
    this.#trainers = trainers
  }

  /** Claims this trainer's partition: an earlier process in its place is fenced. */
  static async open(options: TrainerExchangeOptions): Promise<TrainerExchange> {
    const { log, topic, share, owner } = options
    const writers = 'each-partition'
    await log.createTopic({ topic, partitions: share.of, cleanup: 'delete', writers })
    const at = { topic, partition: share.index - 1 }
    const own = await ClaimedPartition.claim(log, at, owner)
    const trainers = Array.from({ length: share.of }, (_, place) => {
      return new TrainerPartition(log, { topic, partition: place })
    })
    const exchange = new TrainerExchange(options, own, trainers)
    await exchange.#trainers[share.index - 1]?.read()
    return exchange
  }

  /** Before the batch is learned from: the meetings that lie before it. */
  async before(batch: MiniBatch): Promise<void> {
    const round = Math.floor((batch[0]?.maturedAt ?? 0) / this.#options.everyMs)
    if (this.#round < 0) await this.#start(round)
    while (this.#round < round) {
      await this.#meet(false)
      this.#round += 1
    }
  }

  /** At the end of the stream: the meetings that are left, until nobody has anything more to bring. */
  async finish(): Promise<void> {
    if (this.#round < 0) {
      await this.#bring({ round: 0, last: true, delta: NOTHING })
      return
    }
    for (let others = true; others; this.#round += 1) {
      await this.#meet(true)
      others = this.#trainers.some(
        ({ lastRound }) => lastRound === undefined || lastRound > this.#round,
      )
    }
  }

  snapshot(): Uint8Array {
    const { weights } = this.#options
    return new ByteWriter().f64(this.#round).bytes(weights.snapshot()).finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.#round = reader.f64()
    this.#options.weights.restore(reader.bytes())
    reader.end()
  }

  /** The first sample here lies in this round: others may have learned before, and this one says that it has not. */
  async #start(round: number): Promise<void> {
    await this.#bring({ round: round - 1, last: false, delta: NOTHING })
    for (const trainer of this.#trainers) await trainer.waitFor(round - 1)
    const before = new Set(this.#trainers.flatMap((trainer) => trainer.roundsBefore(round)))
    for (const earlier of [...before].sort((a, b) => a - b)) this.#add(earlier)
    this.#round = round
  }

  async #meet(last: boolean): Promise<void> {
    const round = this.#round
    await this.#bring({ round, last, delta: this.#options.weights.delta() })
    for (const trainer of this.#trainers) await trainer.waitFor(round)
    this.#add(round)
  }

  /** Unless an earlier life brought it: then it is the same. */
  async #bring(contribution: Contribution): Promise<void> {
    const own = this.#trainers[this.#options.share.index - 1]
    if (own?.knows(contribution.round) === true) return
    await this.#own.append(cut(contribution))
    await own?.read()
  }

  #add(round: number): void {
    this.#options.weights.meet(this.#trainers.map((trainer) => trainer.take(round)))
  }
}

/** What one trainer has brought, read as it comes. */
class TrainerPartition {
  readonly #log: TopicLog
  readonly #at: { readonly topic: string; readonly partition: number }
  readonly #filter = new ClaimFilter()
  readonly #rounds = new Map<number, Uint8Array>()
  #offset: number | undefined
  #newest = -1
  #piece: { readonly header: Uint8Array; readonly bytes: Uint8Array; filled: number } | undefined
  /** Its last round; undefined while more may come. */
  lastRound: number | undefined

  constructor(log: TopicLog, at: { readonly topic: string; readonly partition: number }) {
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

  /** Rounds before this one that it brought something to, and that were not taken yet. */
  roundsBefore(round: number): number[] {
    return [...this.#rounds.keys()].filter((known) => known < round)
  }

  /** Its part of a round; no bytes where it had none. Earlier rounds are forgotten. */
  take(round: number): Uint8Array {
    for (const known of this.#rounds.keys()) if (known < round) this.#rounds.delete(known)
    return this.#rounds.get(round) ?? NOTHING
  }

  async read(): Promise<void> {
    for (;;) {
      const offset = await this.#position()
      const [batch] = await this.#log.read([{ ...this.#at, offset }], READ_RECORDS)
      if (batch === undefined) return
      for (const record of batch.records) {
        const payload = this.#filter.payload(record)
        if (payload !== undefined) this.#add(payload)
      }
      this.#offset = batch.nextOffset
    }
  }

  async #position(): Promise<number> {
    if (this.#offset !== undefined) return this.#offset
    const bounds = await this.#log.bounds(this.#at.topic)
    this.#offset = bounds.find(({ partition }) => partition === this.#at.partition)?.earliest ?? 0
    return this.#offset
  }

  /** A round that a restarted trainer brings again is the same one: the first whole copy counts. */
  #add(payload: Uint8Array): void {
    const reader = new ByteReader(payload)
    const round = reader.f64()
    const last = reader.u8() === 1
    const length = reader.u32()
    const at = reader.u32()
    const bytes = reader.raw(reader.remaining)
    if (at === 0)
      this.#piece = { header: payload.subarray(0, 13), bytes: new Uint8Array(length), filled: 0 }
    const piece = this.#piece
    if (
      piece === undefined ||
      piece.filled !== at ||
      Buffer.compare(piece.header, payload.subarray(0, 13)) !== 0
    )
      return
    piece.bytes.set(bytes, at)
    piece.filled += bytes.length
    if (piece.filled < length) return
    this.#piece = undefined
    if (round > this.#newest) {
      this.#rounds.set(round, piece.bytes)
      this.#newest = round
    }
    if (last) this.lastRound = Math.max(this.lastRound ?? round, round)
  }
}

function cut({ round, last, delta }: Contribution): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; at === 0 || at < delta.length; at += CHUNK_BYTES) {
    const bytes = delta.subarray(at, at + CHUNK_BYTES)
    const writer = new ByteWriter(bytes.length + 32).f64(round).u8(last ? 1 : 0)
    pieces.push(writer.u32(delta.length).u32(at).raw(bytes).finish())
  }
  return pieces
}
