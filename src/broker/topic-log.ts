/** @file The port to the bus: ordered, partitioned, append-only topics. file-log, memory-log and kafka-log implement it. */

import type { TopicPartition } from '../ids.ts'
import type { GroupMember, GroupOptions } from './work-group.ts'

/** What is appended. `partition` unset: chosen by a stable hash of `key` (round robin never: same key, same partition). */
export interface OutgoingRecord {
  readonly key: Uint8Array
  readonly value: Uint8Array
  /** Event time or append time in Unix ms, as the producer sees fit; not interpreted by the log. */
  readonly timestampMs: number
  readonly partition?: number
}

/** What is read back. Views are valid for as long as the caller holds them. */
export interface LogRecord {
  readonly offset: number
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly timestampMs: number
}

/** Records of one partition in offset order, never empty. Offsets can have gaps (compaction, transactions). */
export interface RecordBatch extends TopicPartition {
  readonly records: readonly LogRecord[]
  /** The offset to read next: at least the last record's offset + 1. */
  readonly nextOffset: number
}

/** Where to read from, or where to stop (exclusive). */
export interface Position extends TopicPartition {
  readonly offset: number
}

/** First offset still kept and the offset that the next append will get. */
export interface PartitionBounds extends TopicPartition {
  readonly earliest: number
  readonly latest: number
}

/** A topic to be made. `compact` keeps the newest record per key; retention applies to `delete`. */
export interface TopicDefinition {
  readonly topic: string
  readonly partitions: number
  readonly cleanup: 'delete' | 'compact'
  readonly retentionBytes?: number
  readonly retentionMs?: number
  /**
   * Which processes may append at a time, in a log that locks: one to the whole topic (the default), or one to each partition.
   */
  readonly writers?: 'one' | 'each-partition'
}

/** A durable, partitioned, append-only log. Errors: BROKER (unreachable, missing topic), CORRUPT (checksum), IO. */
export interface TopicLog {
  /** Makes the topic unless it exists; BROKER error if it exists with another partition count. */
  createTopic(definition: TopicDefinition): Promise<void>
  /** Every topic with its partition count. */
  topics(): Promise<ReadonlyMap<string, number>>
  bounds(topic: string): Promise<readonly PartitionBounds[]>
  /** Resolves when the records are as durable as the log's fsync policy (or broker acks) promises; returns the offsets. */
  append(topic: string, records: readonly OutgoingRecord[]): Promise<readonly Position[]>
  /**
   * Reads up to `maxRecords` records of each given position, in the order given; a position at the end of its partition
   * gives no batch. Never waits. The same positions on the same log give the same batches.
   */
  read(positions: readonly Position[], maxRecords: number): Promise<readonly RecordBatch[]>
  /** Resolves true as soon as any of the positions has a record to read, false after `timeoutMs`. */
  waitForRecords(positions: readonly Position[], timeoutMs: number): Promise<boolean>
  /**
   * Shows positions that are safe elsewhere to tools that look at a consumer group's lag; nothing reads from there. Absent where
   * there are no groups.
   */
  commitOffsets?(group: string, positions: readonly Position[]): Promise<void>
  /** Becomes a member of a group of processes that share numbered pieces of work. */
  joinGroup(options: GroupOptions): Promise<GroupMember>
  /** Lets another process append to a partition of a topic with `writers: 'each-partition'`; absent where nothing locks. */
  yieldPartition?(at: TopicPartition): Promise<void>
  /** Forgets records before the position, as far as the log can; absent where it cannot. */
  trim?(at: Position): Promise<void>
  close(): Promise<void>
}
