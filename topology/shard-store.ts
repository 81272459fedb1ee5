/**
 * @file The state of one shard where its next owner finds it, wherever that runs: a partition of the topic `<job>.joiner.state` with
 * claims, the epochs of the shard (its journal), and now and then its whole state.
 */

import { type Epoch, epochBytes, epochFrom } from '../src/broker/epoch-journal.ts'
import type { TopicLog } from '../src/broker/topic-log.ts'
import { ByteReader, ByteWriter } from '../src/bytes.ts'
import { ClaimedPartition } from './claimed-partition.ts'
import { JOINER, roleName } from './learner-role.ts'

const EPOCH = 0
const STATE = 1

/** A piece of a state: below the limit that any broker has. */
const CHUNK_BYTES = 500_000

/** Name of the topic; one partition for each shard. */
export function stateTopic(job: string): string {
  return `${roleName(job, JOINER)}.state`
}

/** What the owners before have left. */
export interface StoredShard {
  readonly store: ShardStore
  /** The newest state that is whole; undefined at the start. */
  readonly state: Uint8Array | undefined
  /** Epochs that were decided after it, in order: they have to run, whoever decided them. */
  readonly epochs: readonly Epoch[]
}

/** One owner's access to a shard; every write is FENCED once there is another owner. */
export class ShardStore {
  readonly partition: ClaimedPartition

  private constructor(partition: ClaimedPartition) {
    this.partition = partition
  }

  /** Makes the topic unless it exists. */
  static async createTopic(log: TopicLog, job: string, shards: number): Promise<void> {
    const topic = stateTopic(job)
    await log.createTopic({
      topic,
      partitions: shards,
      cleanup: 'delete',
      writers: 'each-partition',
    })
  }

  /** Becomes the owner. */
  static async open(
    log: TopicLog,
    job: string,
    owned: { readonly shard: number; readonly owner: string },
  ): Promise<StoredShard> {
    const at = { topic: stateTopic(job), partition: owned.shard }
    const partition = await ClaimedPartition.claim(log, at, owned.owner)
    const found = new FoundState()
    for await (const { payload } of partition.history()) found.take(payload)
    return { store: new ShardStore(partition), state: found.state, epochs: found.epochs }
  }

  /** Fences the owners before; samples carry it. */
  get epoch(): number {
    return this.partition.epoch
  }

  /** Makes the state durable, and lets the log forget what led to it. */
  async save(state: Uint8Array): Promise<void> {
    const chunks: Uint8Array[] = []
    for (let at = 0; at === 0 || at < state.length; at += CHUNK_BYTES) {
      const piece = state.subarray(at, at + CHUNK_BYTES)
      const writer = new ByteWriter(piece.length + 32).u8(STATE).u32(state.length).u32(at)
      chunks.push(writer.raw(piece).finish())
    }
    const offset = await this.partition.append(chunks)
    await this.partition.trim(offset)
  }
}

/** The journal entry of an epoch. */
export function epochPayload(epoch: Epoch): Uint8Array {
  return new ByteWriter().u8(EPOCH).raw(epochBytes(epoch)).finish()
}

/** Puts together what the history of a shard says. */
class FoundState {
  state: Uint8Array | undefined
  epochs: Epoch[] = []
  #gathering = new Uint8Array(0)
  #gathered = 0

  take(payload: Uint8Array): void {
    const reader = new ByteReader(payload)
    if (reader.u8() === EPOCH) {
      this.epochs.push(epochFrom(reader))
      return
    }
    const length = reader.u32()
    const at = reader.u32()
    const piece = reader.raw(reader.remaining)
    if (at === 0) {
      this.#gathering = new Uint8Array(length)
      this.#gathered = 0
    }
    // A state that its owner did not finish writing: its later pieces are missing, or belong to another one.
    if (at !== this.#gathered || length !== this.#gathering.length) return
    this.#gathering.set(piece, at)
    this.#gathered += piece.length
    if (this.#gathered < length) return
    this.state = this.#gathering
    this.epochs = []
  }
}
