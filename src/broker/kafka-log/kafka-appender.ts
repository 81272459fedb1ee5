/**
 * @file Appends to Kafka, acknowledged by all replicas in sync and without duplicates (KIP-98): batches are numbered per partition,
 * at most one of a partition is on its way, and it is repeated byte for byte until it is acknowledged.
 */

import { partitionName } from '../../ids.ts'
import type { Compression } from '../options.ts'
import type { OutgoingRecord, Position } from '../topic-log.ts'
import type { PartitionBatch, ProducedPartition } from './produce-request.ts'
import { type EncodedRecords, encodeBatch, encodeRecords } from './record-batch-writer.ts'

/** Keys and values in one batch, bytes: below the limit that any broker has, compressed or not. */
const BATCH_BYTES = 512 << 10

/** Sequence numbers start again after this many records. */
const SEQUENCES = 2 ** 31

/** Who this producer is to the brokers. */
export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

export interface KafkaAppenderOptions {
  /** A new identity: the brokers' memory of what was sent begins again. */
  readonly openProducer: () => Promise<ProducerIdentity>
  /** Sends each batch until its partition's leader has acknowledged it, or fails for good. */
  readonly produce: (batches: readonly PartitionBatch[]) => Promise<readonly ProducedPartition[]>
  readonly compression: Compression
}

/** Records of one partition that make one batch, with their places in the call. */
interface Piece {
  readonly partition: number
  readonly places: readonly number[]
  readonly records: EncodedRecords
}

/** One append after the other, in the order of the calls. */
export class KafkaAppender {
  readonly #options: KafkaAppenderOptions
  readonly #sequences = new Map<string, number>()
  #identity: ProducerIdentity | undefined
  #previous: Promise<unknown> = Promise.resolve()

  constructor(options: KafkaAppenderOptions) {
    this.#options = options
  }

  /** `partitions`: of each record. Keys and values are copied before the call returns. */
  append(
    topic: string,
    records: readonly OutgoingRecord[],
    partitions: Uint32Array,
  ): Promise<readonly Position[]> {
    const rounds = roundsOf(records, partitions)
    const appended = this.#previous.then(() => this.#sendRounds(topic, rounds, records.length))
    this.#previous = appended.catch(() => undefined)
    return appended
  }

  /** Waits for appends under way. */
  async close(): Promise<void> {
    await this.#previous
  }

  async #sendRounds(
    topic: string,
    rounds: readonly (readonly Piece[])[],
    records: number,
  ): Promise<readonly Position[]> {
    const positions = new Array<Position>(records)
    for (const pieces of rounds) {
      for (const [piece, base] of await this.#send(topic, pieces)) {
        const { partition, places } = piece
        for (let i = 0; i < places.length; i++) {
          positions[places[i]!] = { topic, partition, offset: base + i }
        }
      }
    }
    return positions
  }

  /** One batch of each partition; gives the offset of each batch's first record. */
  async #send(topic: string, pieces: readonly Piece[]): Promise<ReadonlyMap<Piece, number>> {
    const { openProducer, produce, compression } = this.#options
    this.#identity ??= await openProducer()
    const batches: PartitionBatch[] = []
    for (const { partition, records } of pieces) {
      const sequence = this.#take(topic, partition, records.count)
      const numbered = { ...this.#identity, sequence }
      const batch = await encodeBatch(records, numbered, compression)
      batches.push({ topic, partition, batch })
    }
    try {
      const produced = await produce(batches)
      const bases = new Map(produced.map(({ partition, baseOffset }) => [partition, baseOffset]))
      return new Map(pieces.map((piece) => [piece, bases.get(piece.partition) ?? -1]))
    } catch (error) {
      // Whether a batch arrived is not known, and another batch with its numbers would be taken for it.
      this.#identity = undefined
      this.#sequences.clear()
      throw error
    }
  }

  #take(topic: string, partition: number, count: number): number {
    const name = partitionName({ topic, partition })
    const sequence = this.#sequences.get(name) ?? 0
    this.#sequences.set(name, (sequence + count) % SEQUENCES)
    return sequence
  }
}

/** Pieces to send together: the first of every partition, then the second, ... */
function roundsOf(records: readonly OutgoingRecord[], partitions: Uint32Array): Piece[][] {
  const rounds: Piece[][] = []
  for (const [partition, all] of placesByPartition(partitions)) {
    let round = 0
    for (const places of cutByBytes(all, records)) {
      const cut = places.map((place) => records[place]).filter((one) => one !== undefined)
      const piece = { partition, places, records: encodeRecords(cut) }
      const others = rounds[round]
      if (others === undefined) rounds.push([piece])
      else others.push(piece)
      round += 1
    }
  }
  return rounds
}

function placesByPartition(partitions: Uint32Array): ReadonlyMap<number, number[]> {
  const places = new Map<number, number[]>()
  for (let i = 0; i < partitions.length; i++) {
    const partition = partitions[i]!
    const known = places.get(partition)
    if (known === undefined) places.set(partition, [i])
    else known.push(i)
  }
  return places
}

/** Consecutive places whose records fit into one batch; a larger record is a batch of its own. */
function* cutByBytes(
  places: readonly number[],
  records: readonly OutgoingRecord[],
): Generator<number[]> {
  let cut: number[] = []
  let bytes = 0
  for (const place of places) {
    const { key, value } = records[place]!
    const size = key.length + value.length
    if (cut.length > 0 && bytes + size > BATCH_BYTES) {
      yield cut
      cut = []
      bytes = 0
    }
    cut.push(place)
    bytes += size
  }
  if (cut.length > 0) yield cut
}
