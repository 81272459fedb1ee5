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
import { ClaimedPartition } from './claimed-partition.ts'
import type { Share } from './sample-inputs.ts'
import { type Contribution, cut, NO_ROUND, TrainerPartition } from './trainer-partition.ts'

const NOTHING = new Uint8Array(0)

export interface TrainerExchangeOptions {
  readonly log: TopicLog
  readonly topic: string
  readonly share: Share
  /** Event time between two meetings, ms. */
  readonly everyMs: number
  /** How this process is called in claims. */
  readonly owner: string
  readonly weights: WeightExchange
  /** Called when all have the same weights, with the users that any of them erased since the meeting before. */
  readonly onMet: (erased: readonly string[]) => void
}

/** Round r ends where event time leaves its slice of `everyMs`, aligned to 1970. The state is the round under way, and the weights' own. */
export class TrainerExchange implements Stage {
  readonly #options: TrainerExchangeOptions
  readonly #own: ClaimedPartition
  readonly #trainers: readonly TrainerPartition[]
  /** Round under way. */
  #round = NO_ROUND
  /** Round under way in the newest durable checkpoint. */
  #safe = NO_ROUND
  /** What lies before this round is no longer on this trainer's partition. */
  #trimmedTo = NO_ROUND
  /** Users that this trainer erased since the last meeting. */
  #erased: string[] = []

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

  get round(): number {
    return this.#round
  }

  /** A checkpoint with this round under way is durable: earlier ones are not needed here again. */
  saved(round: number): void {
    this.#safe = round
  }

  /** A user was erased here: the others do the same at the next meeting. */
  erase(user: string): void {
    this.#erased.push(user)
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
    const writer = new ByteWriter().f64(this.#round).json(this.#erased)
    return writer.bytes(weights.snapshot()).finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.#round = reader.f64()
    this.#erased = reader.json() as string[]
    this.#options.weights.restore(reader.bytes())
    reader.end()
    this.#safe = this.#round
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
    await this.#trim()
  }

  /** Unless an earlier life brought it: then it is the same. */
  async #bring(part: Pick<Contribution, 'round' | 'last' | 'delta'>): Promise<void> {
    const own = this.#trainers[this.#options.share.index - 1]
    if (own?.knows(part.round) === true) return
    await this.#own.append(cut({ ...part, safe: this.#safe, erased: this.#erased }))
    await own?.read()
  }

  #add(round: number): void {
    const parts = this.#trainers.map((trainer) => trainer.take(round))
    this.#options.weights.meet(parts.map((part) => part?.delta ?? NOTHING))
    this.#erased = []
    this.#options.onMet(parts.flatMap((part) => part?.erased ?? []))
  }

  /** Rounds before the newest durable checkpoint of every trainer: each takes its own from the topic. */
  async #trim(): Promise<void> {
    const own = this.#trainers[this.#options.share.index - 1]
    const needed = this.#trainers.reduce(
      (least, trainer) => (trainer === own ? least : Math.min(least, trainer.safe)),
      this.#safe,
    )
    if (needed <= this.#trimmedTo) return
    for (const trainer of this.#trainers) trainer.forgetBefore(needed)
    const offset = own?.offsetOf(needed)
    if (offset === undefined) return
    await this.#own.trim(offset)
    this.#trimmedTo = needed
  }
}
