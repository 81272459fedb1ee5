/**
 * @file Versions onto the model topic: claims a trainer epoch, cuts versions into chunks and appends them; a version that an
 * earlier life already appended whole is not appended again.
 */

import type { LogRecord, TopicLog } from '../src/broker/topic-log.ts'
import { MillraceError } from '../src/errors.ts'
import { ChunkAssembly, type ChunkCompression, cutIntoChunks } from '../src/publish/chunk.ts'
import type { ChunkCodec } from '../src/publish/chunk-codec.ts'
import type { Version } from '../src/publish/publisher.ts'
import { type Signer, updateMessage } from '../src/publish/signature.ts'
import type { Clock } from '../src/time.ts'

/** What a checkpoint remembers of the topic; envelope, not part of what is reproducible. */
export interface ModelTopicPosition {
  readonly trainerEpoch: number
  /** Offset after the last chunk that the checkpoint covers. */
  readonly nextOffset: number
  /** Offset of chunk 0 of the newest full update; -1 before the first. */
  readonly fullOffset: number
}

export interface ModelTopicOptions {
  readonly log: TopicLog
  readonly topic: string
  readonly modelId: string
  readonly codec: ChunkCodec
  readonly chunkBytes: number
  /** `none` unless given. */
  readonly compression?: ChunkCompression | undefined
  readonly clock: Clock
  /** Absent: updates are not signed. */
  readonly signer?: Signer | undefined
}

const FIRST: ModelTopicPosition = { trainerEpoch: 0, nextOffset: 0, fullOffset: -1 }
const READ_RECORDS = 64

/** The one writer of a model topic (one partition). */
export class ModelTopic {
  readonly #options: ModelTopicOptions
  /** sha256 of versions that are whole on the topic beyond the checkpoint -> offset of their chunk 0. */
  readonly #present = new Map<string, number>()
  #trainerEpoch: number
  #nextOffset: number
  #fullOffset: number

  private constructor(options: ModelTopicOptions, position: ModelTopicPosition) {
    this.#options = options
    this.#trainerEpoch = position.trainerEpoch
    this.#nextOffset = position.nextOffset
    this.#fullOffset = position.fullOffset
  }

  /** Goes on from a checkpoint's position and takes a higher trainer epoch than any on the topic. */
  static async open(
    options: ModelTopicOptions,
    from: ModelTopicPosition = FIRST,
  ): Promise<ModelTopic> {
    const { log, topic } = options
    await log.createTopic({ topic, partitions: 1, cleanup: 'delete' })
    const writer = new ModelTopic(options, from)
    await writer.#readOn()
    writer.#trainerEpoch += 1
    return writer
  }

  get position(): ModelTopicPosition {
    return {
      trainerEpoch: this.#trainerEpoch,
      nextOffset: this.#nextOffset,
      fullOffset: this.#fullOffset,
    }
  }

  /** Appends the version unless it is there; returns the bytes of its content. */
  async publish(version: Version): Promise<void> {
    const present = this.#present.get(version.sha256)
    if (present !== undefined) {
      if (version.kind === 'full') this.#fullOffset = present
      return
    }
    if (version.kind === 'full') this.#fullOffset = this.#nextOffset
    const { log, topic, modelId, codec, chunkBytes, compression, clock, signer } = this.#options
    const envelope = {
      model_id: modelId,
      trainer_epoch: this.#trainerEpoch,
      sequence: version.sequence,
      kind: version.kind,
      sha256: version.sha256,
      parent_sha256: version.parentSha256,
      full_offset: this.#fullOffset,
      published_at_ms: clock.now(),
    }
    const signature = signer?.sign(updateMessage(envelope)) ?? new Uint8Array(0)
    const key = new TextEncoder().encode(modelId)
    const records = cutIntoChunks({ ...envelope, signature }, version.content, chunkBytes).map(
      (chunk) => ({
        key,
        value: codec.encode(chunk, compression),
        timestampMs: envelope.published_at_ms,
        partition: 0,
      }),
    )
    const expected = this.#nextOffset
    const positions = await log.append(topic, records)
    this.#nextOffset = (positions.at(-1)?.offset ?? expected - 1) + 1
    await this.#checkAlone(expected, positions[0]?.offset ?? expected)
  }

  /** FENCED when between these offsets somebody published the same model with a higher trainer epoch. */
  async #checkAlone(from: number, to: number): Promise<void> {
    const { log, topic, modelId, codec } = this.#options
    for (let offset = from; offset < to; ) {
      const [batch] = await log.read([{ topic, partition: 0, offset }], READ_RECORDS)
      if (batch === undefined) return
      for (const record of batch.records) {
        const decoded = record.offset < to ? codec.decode(record.value) : undefined
        if (decoded?.kind !== 'chunk' || decoded.chunk.model_id !== modelId) continue
        if (decoded.chunk.trainer_epoch <= this.#trainerEpoch) continue
        throw new MillraceError(
          'FENCED',
          `${topic} has versions of ${modelId} with trainer epoch ${decoded.chunk.trainer_epoch}, this is ${this.#trainerEpoch}`,
          { remedy: 'this process was replaced and stops; followers ignore what it published' },
        )
      }
      offset = batch.nextOffset
    }
  }

  /** Reads what was appended after the checkpoint, and the newest record, for versions and epochs already there. */
  async #readOn(): Promise<void> {
    const { log, topic } = this.#options
    const [bounds] = await log.bounds(topic)
    const latest = bounds?.latest ?? 0
    const assembly = new ChunkAssembly()
    let firstOffset = this.#nextOffset
    const start = Math.max(
      bounds?.earliest ?? 0,
      Math.min(this.#nextOffset, Math.max(0, latest - 1)),
    )
    for (let offset = start; offset < latest; ) {
      const [batch] = await log.read([{ topic, partition: 0, offset }], READ_RECORDS)
      if (batch === undefined) break
      for (const record of batch.records) {
        firstOffset = this.#note(record, assembly, firstOffset)
      }
      offset = batch.nextOffset
    }
    this.#nextOffset = latest
  }

  #note(record: LogRecord, assembly: ChunkAssembly, firstOffset: number): number {
    const decoded = this.#options.codec.decode(record.value)
    if (decoded.kind === 'malformed') return firstOffset
    const { chunk } = decoded
    this.#trainerEpoch = Math.max(this.#trainerEpoch, chunk.trainer_epoch)
    const start = chunk.chunk === 0 ? record.offset : firstOffset
    const assembled = assembly.add(chunk)
    if (assembled.kind === 'complete') this.#present.set(chunk.sha256, start)
    return start
  }
}
