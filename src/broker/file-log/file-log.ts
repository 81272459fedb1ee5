/** @file The embedded TopicLog: topics as directories of segment files, read and written by several processes at once. */

import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../../errors.ts'
import type { TopicPartition } from '../../ids.ts'
import { partitionName } from '../../ids.ts'
import { FairMember } from '../fair-member.ts'
import type { FileLogOptions } from '../options.ts'
import type {
  OutgoingRecord,
  PartitionBounds,
  Position,
  RecordBatch,
  TopicDefinition,
  TopicLog,
} from '../topic-log.ts'
import {
  checkDefinition,
  checkPartition,
  closedLog,
  DEFAULT_MAX_RECORD_BYTES,
} from '../topic-rules.ts'
import type { GroupMember, GroupOptions } from '../work-group.ts'
import { ioError } from './disk.ts'
import { joinFileGroup } from './file-group.ts'
import { PartitionReader } from './partition-reader.ts'
import type { TornTail } from './partition-writer.ts'
import { listTopics, makeTopic, partitionDirectory, readTopic } from './topic-directory.ts'
import type { WriteOptions } from './topic-writer.ts'
import { TopicWriters } from './topic-writers.ts'

/** How often a waiting reader looks at the files. */
const LOOK_EVERY_MS = 10

/**
 * Opens the log in `path`, making the directory if need be. Any number of processes may read; a topic has one writing
 * process at a time, the first that appends to it, until it closes the log or dies. Throws IO when the path is a file or
 * may not be written to.
 */
export async function openFileLog(options: FileLogOptions): Promise<FileLog> {
  const { path, access = 'read-write' } = options
  try {
    if (access === 'read-write') mkdirSync(path, { recursive: true })
    accessSync(path, access === 'read-write' ? constants.R_OK | constants.W_OK : constants.R_OK)
  } catch (error) {
    throw ioError(`cannot open the log ${path}`, error)
  }
  if (!statSync(path).isDirectory()) throw ioError(`cannot open the log ${path}`, 'it is a file')
  return new FileLog(path, access, {
    fsync: options.fsync ?? 'interval',
    fsyncBytes: options.fsyncBytes ?? 8 << 20,
    segmentBytes: options.segmentBytes ?? 64 << 20,
    maxRecordBytes: options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES,
  })
}

/** A log in a folder of files, shared by processes; `openFileLog` opens it. */
export class FileLog implements TopicLog {
  readonly #root: string
  readonly #access: 'read-write' | 'read-only'
  readonly #options: WriteOptions
  readonly #definitions = new Map<string, TopicDefinition>()
  readonly #readers = new Map<string, PartitionReader>()
  readonly #writers = new Map<string, TopicWriters>()
  readonly #closing = new AbortController()

  constructor(root: string, access: 'read-write' | 'read-only', options: WriteOptions) {
    this.#root = root
    this.#access = access
    this.#options = options
  }

  async createTopic(definition: TopicDefinition): Promise<void> {
    this.#checkWritable()
    checkDefinition(definition)
    this.#guarded(() => makeTopic(this.#root, definition))
  }

  async topics(): Promise<ReadonlyMap<string, number>> {
    this.#checkOpen()
    const names = this.#guarded(() => listTopics(this.#root))
    return new Map(names.map((topic) => [topic, this.#definition(topic).partitions]))
  }

  async bounds(topic: string): Promise<readonly PartitionBounds[]> {
    const { partitions } = this.#definition(topic)
    return Array.from({ length: partitions }, (_, partition) =>
      this.#guarded(() => this.#reader({ topic, partition }).bounds()),
    )
  }

  async append(topic: string, records: readonly OutgoingRecord[]): Promise<readonly Position[]> {
    const writers = this.#writersOf(topic)
    return this.#guardedAsync(() => writers.append(records))
  }

  async read(positions: readonly Position[], maxRecords: number): Promise<readonly RecordBatch[]> {
    // Files are read without waiting, mostly from the page cache: without this turn a loop of reads would leave no room
    // for timers, sockets and signals.
    await nextTurn()
    const batches: RecordBatch[] = []
    for (const at of positions) {
      const batch = this.#guarded(() => this.#reader(at).read(at.offset, maxRecords))
      if (batch !== undefined) batches.push(batch)
    }
    return batches
  }

  async waitForRecords(positions: readonly Position[], timeoutMs: number): Promise<boolean> {
    for (let leftMs = timeoutMs; ; leftMs -= LOOK_EVERY_MS) {
      const ready = this.#guarded(() =>
        positions.some((at) => this.#reader(at).hasRecord(at.offset)),
      )
      if (ready || leftMs <= 0) return ready
      if (!(await this.#pause(Math.min(leftMs, LOOK_EVERY_MS)))) return false
    }
  }

  /** Rewrites the closed segments of a topic with the newest record per key; this process becomes its writer. */
  async compact(topic: string): Promise<void> {
    const writers = this.#writersOf(topic)
    await this.#guardedAsync(() => writers.compact())
  }

  /** What was cut off the ends of the topics that this process writes to, because it had not been written whole. */
  tornTails(): readonly TornTail[] {
    return [...this.#writers.values()].flatMap((writers) => writers.tornTails())
  }

  async joinGroup({ group, pieces }: GroupOptions): Promise<GroupMember> {
    this.#checkWritable()
    const { id, board } = this.#guarded(() => joinFileGroup(this.#root, group))
    return new FairMember(id, board, pieces)
  }

  async yieldPartition({ topic, partition }: TopicPartition): Promise<void> {
    await this.#guardedAsync(async () => this.#writers.get(topic)?.release(partition))
  }

  /** Forgets whole segments; this process becomes the writer. */
  async trim({ topic, partition, offset }: Position): Promise<void> {
    const writers = this.#writersOf(topic)
    await this.#guardedAsync(() => writers.trim(partition, offset))
  }

  /** Waits for appends under way, syncs, lets other writers in. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    for (const reader of this.#readers.values()) reader.close()
    await this.#guardedAsync(() =>
      Promise.all(Array.from(this.#writers.values(), (writers) => writers.close())),
    )
  }

  #definition(topic: string): TopicDefinition {
    this.#checkOpen()
    const known = this.#definitions.get(topic)
    if (known !== undefined) return known
    const definition = this.#guarded(() => readTopic(this.#root, topic))
    this.#definitions.set(topic, definition)
    return definition
  }

  #reader(at: TopicPartition): PartitionReader {
    checkPartition(at, this.#definition(at.topic).partitions)
    const name = partitionName(at)
    const known = this.#readers.get(name)
    if (known !== undefined) return known
    const reader = new PartitionReader(partitionDirectory(this.#root, at), at)
    this.#readers.set(name, reader)
    return reader
  }

  #writersOf(topic: string): TopicWriters {
    this.#checkWritable()
    const known = this.#writers.get(topic)
    if (known !== undefined) return known
    const writers = new TopicWriters(this.#root, this.#definition(topic), this.#options)
    this.#writers.set(topic, writers)
    return writers
  }

  /** False when the log was closed meanwhile. */
  async #pause(milliseconds: number): Promise<boolean> {
    try {
      await sleep(milliseconds, undefined, { signal: this.#closing.signal })
      return true
    } catch {
      return false
    }
  }

  #guarded<Result>(step: () => Result): Result {
    try {
      return step()
    } catch (error) {
      throw ioError(this.#root, error)
    }
  }

  async #guardedAsync<Result>(step: () => Promise<Result>): Promise<Result> {
    try {
      return await step()
    } catch (error) {
      throw ioError(this.#root, error)
    }
  }

  #checkWritable(): void {
    this.#checkOpen()
    if (this.#access === 'read-write') return
    throw new MillraceError('BROKER', `the log ${this.#root} was opened read-only`, {
      remedy: 'Open it with access: read-write.',
    })
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw closedLog(this.#root)
  }
}
