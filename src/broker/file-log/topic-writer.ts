/** @file The writing side of one topic: its lock, its partitions, one append after the other, and when the disk is synced. */

import { join } from 'node:path'
import type { LogRecord, OutgoingRecord, Position, TopicDefinition } from '../topic-log.ts'
import { assignPartitions } from '../topic-rules.ts'
import type { TornTail } from './partition-writer.ts'
import { PartitionWriter } from './partition-writer.ts'
import { partitionDirectory } from './topic-directory.ts'
import { WriterLock } from './writer-lock.ts'

/** How much an append promises. */
export interface WriteOptions {
  /** `always`: on the disk when `append` resolves. `interval`: at the latest `fsyncBytes` later. `never`: when the system likes. */
  readonly fsync: 'always' | 'interval' | 'never'
  readonly fsyncBytes: number
  readonly segmentBytes: number
  readonly maxRecordBytes: number
}

/** Appends to one topic, or to `only` one partition of it, until closed. A killed process loses nothing under any policy; a power cut what was not synced. */
export class TopicWriter {
  readonly #definition: TopicDefinition
  readonly #options: WriteOptions
  readonly #lock: WriterLock
  /** By partition number: all of them, or the one that this writer may write to. */
  readonly #partitions: ReadonlyMap<number, PartitionWriter>
  /** Resolves when all that was asked for so far is done; never rejects. */
  #last: Promise<unknown> = Promise.resolve()

  /** Throws BROKER when the topic has another writer, CORRUPT when a partition is damaged before its end. */
  constructor(root: string, definition: TopicDefinition, options: WriteOptions, only?: number) {
    const { topic, partitions } = definition
    this.#definition = definition
    this.#options = options
    this.#lock =
      only === undefined
        ? WriterLock.acquire(join(root, topic), `topic ${topic}`)
        : WriterLock.acquire(
            partitionDirectory(root, { topic, partition: only }),
            `partition ${only} of topic ${topic}`,
          )
    try {
      const { segmentBytes } = options
      const durable = options.fsync !== 'never'
      const written =
        only === undefined
          ? Array.from({ length: partitions }, (_, partition) => partition)
          : [only]
      this.#partitions = new Map(
        written.map((partition) => {
          const directory = partitionDirectory(root, { topic, partition })
          const open = new PartitionWriter(directory, definition, { segmentBytes, durable })
          return [partition, open]
        }),
      )
    } catch (error) {
      this.#lock.release()
      throw error
    }
  }

  /** Ends of partitions that were cut off because they had not been written whole. */
  tornTails(): readonly TornTail[] {
    return this.#all.flatMap(({ tornTail }) => (tornTail === undefined ? [] : [tornTail]))
  }

  /** Appends in the order of the calls; the records' bytes must stay as they are until it resolves. */
  append(records: readonly OutgoingRecord[]): Promise<readonly Position[]> {
    return this.#afterTheLast(async () => {
      const positions = this.#write(records)
      if (this.#options.fsync === 'always') await this.#sync()
      else if (this.#options.fsync === 'interval') await this.#syncIfDue()
      return positions
    })
  }

  /** Rewrites what later records of the same keys replaced, except in the segments being written. */
  compact(): Promise<void> {
    return this.#afterTheLast(async () => {
      for (const partition of this.#all) partition.compact()
    })
  }

  /** Forgets closed segments of a partition whose records are all before `offset`. */
  trim(partition: number, offset: number): Promise<void> {
    return this.#afterTheLast(async () => this.#partitions.get(partition)?.trim(offset))
  }

  /** Syncs unless the policy is `never`, and gives up the topic. */
  close(): Promise<void> {
    return this.#afterTheLast(async () => {
      if (this.#options.fsync !== 'never') await this.#sync()
      for (const partition of this.#all) partition.close()
      this.#lock.release()
    })
  }

  #write(records: readonly OutgoingRecord[]): readonly Position[] {
    const { topic, partitions } = this.#definition
    const { maxRecordBytes } = this.#options
    const assigned = assignPartitions(topic, records, { partitions, maxRecordBytes })
    const parts = new Map(
      Array.from(this.#partitions, ([number, partition]) => [
        number,
        { partition, offset: partition.nextOffset, records: [] as LogRecord[] },
      ]),
    )
    const positions = records.map(({ key, value, timestampMs }, i) => {
      const partition = assigned[i]!
      const part = parts.get(partition)!
      const offset = part.offset++
      part.records.push({ offset, key, value, timestampMs })
      return { topic, partition, offset }
    })
    for (const part of parts.values())
      if (part.records.length > 0) part.partition.append(part.records)
    return positions
  }

  get #all(): readonly PartitionWriter[] {
    return [...this.#partitions.values()]
  }

  async #syncIfDue(): Promise<void> {
    const unsynced = this.#all.reduce((sum, { unsyncedBytes }) => sum + unsyncedBytes, 0)
    if (unsynced >= this.#options.fsyncBytes) await this.#sync()
  }

  async #sync(): Promise<void> {
    for (const partition of this.#all) await partition.sync()
  }

  #afterTheLast<Result>(step: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(step)
    this.#last = result.catch(() => undefined)
    return result
  }
}
