/** @file A TopicLog in memory, for tests and for jobs that need not survive: same answers as the file log, no durability. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { FairMember } from './fair-member.ts'
import { MemoryGroup } from './memory-group.ts'
import type {
  LogRecord,
  OutgoingRecord,
  PartitionBounds,
  Position,
  RecordBatch,
  TopicDefinition,
  TopicLog,
} from './topic-log.ts'
import {
  assignPartitions,
  checkDefinition,
  checkPartition,
  checkSamePartitions,
  closedLog,
  DEFAULT_MAX_RECORD_BYTES,
  outOfRange,
  unknownTopic,
} from './topic-rules.ts'
import type { GroupMember, GroupOptions } from './work-group.ts'

/** `records` are those from offset `earliest` on. */
interface Partition {
  earliest: number
  records: LogRecord[]
}

const PLACE = 'in memory'

/** Keeps every record until it is trimmed or closed: retention and compaction are for logs that outlive a process. */
export class MemoryLog implements TopicLog {
  readonly #maxRecordBytes: number
  readonly #topics = new Map<string, Partition[]>()
  readonly #waiting = new Set<() => void>()
  readonly #groups = new Map<string, MemoryGroup>()
  #closed = false

  constructor({ maxRecordBytes = DEFAULT_MAX_RECORD_BYTES } = {}) {
    this.#maxRecordBytes = maxRecordBytes
  }

  async createTopic(definition: TopicDefinition): Promise<void> {
    this.#checkOpen()
    checkDefinition(definition)
    const existing = this.#topics.get(definition.topic)
    if (existing !== undefined) checkSamePartitions(existing.length, definition)
    else
      this.#topics.set(
        definition.topic,
        Array.from({ length: definition.partitions }, () => ({ earliest: 0, records: [] })),
      )
  }

  async topics(): Promise<ReadonlyMap<string, number>> {
    this.#checkOpen()
    return new Map(Array.from(this.#topics, ([topic, partitions]) => [topic, partitions.length]))
  }

  async bounds(topic: string): Promise<readonly PartitionBounds[]> {
    return this.#partitions(topic).map((kept, partition) => ({
      topic,
      partition,
      earliest: kept.earliest,
      latest: latestOf(kept),
    }))
  }

  /** Copies keys and values: the caller may use its buffers again. */
  async append(topic: string, records: readonly OutgoingRecord[]): Promise<readonly Position[]> {
    const partitions = this.#partitions(topic)
    const assigned = assignPartitions(topic, records, {
      partitions: partitions.length,
      maxRecordBytes: this.#maxRecordBytes,
    })
    const positions = records.map(({ key, value, timestampMs }, i) => {
      const partition = assigned[i] ?? 0
      const kept = partitions[partition] ?? { earliest: 0, records: [] }
      const offset = latestOf(kept)
      kept.records.push({ offset, key: Buffer.from(key), value: Buffer.from(value), timestampMs })
      return { topic, partition, offset }
    })
    if (positions.length > 0) this.#wake()
    return positions
  }

  async read(positions: readonly Position[], maxRecords: number): Promise<readonly RecordBatch[]> {
    // As the file log does: a loop of reads must leave room for timers, sockets and signals.
    await nextTurn()
    const batches: RecordBatch[] = []
    for (const at of positions) {
      const kept = this.#keptOf(at)
      const from = at.offset - kept.earliest
      const records = kept.records.slice(from, from + maxRecords)
      if (records.length === 0) continue
      const { topic, partition } = at
      batches.push({ topic, partition, records, nextOffset: at.offset + records.length })
    }
    return batches
  }

  async waitForRecords(positions: readonly Position[], timeoutMs: number): Promise<boolean> {
    const ready = (): boolean => positions.some((at) => latestOf(this.#keptOf(at)) > at.offset)
    if (ready()) return true
    return new Promise((resolve, reject) => {
      const finish = (answer: boolean): void => {
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(answer)
      }
      const look = (): void => {
        try {
          if (this.#closed) finish(false)
          else if (ready()) finish(true)
        } catch (error) {
          reject(error)
        }
      }
      const timer = setTimeout(() => finish(false), timeoutMs)
      this.#waiting.add(look)
    })
  }

  async trim({ topic, partition, offset }: Position): Promise<void> {
    const partitions = this.#partitions(topic)
    checkPartition({ topic, partition }, partitions.length)
    const kept = partitions[partition]
    if (kept === undefined || offset <= kept.earliest) return
    kept.records = kept.records.filter((record) => record.offset >= offset)
    kept.earliest = Math.max(kept.earliest, Math.min(offset, kept.records[0]?.offset ?? offset))
  }

  async joinGroup({ group, pieces }: GroupOptions): Promise<GroupMember> {
    const { id, board } = this.group(group).join()
    return new FairMember(id, board, pieces)
  }

  /** The group itself, from which a test can evict a member that lives. */
  group(name: string): MemoryGroup {
    const known = this.#groups.get(name)
    if (known !== undefined) return known
    const group = new MemoryGroup()
    this.#groups.set(name, group)
    return group
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
    this.#topics.clear()
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look()
  }

  #keptOf(at: Position): Partition {
    const partitions = this.#partitions(at.topic)
    checkPartition(at, partitions.length)
    const kept = partitions[at.partition] ?? { earliest: 0, records: [] }
    const bounds = { earliest: kept.earliest, latest: latestOf(kept) }
    if (at.offset < bounds.earliest || at.offset > bounds.latest) {
      throw outOfRange(at, at.offset, bounds)
    }
    return kept
  }

  #partitions(topic: string): Partition[] {
    this.#checkOpen()
    const partitions = this.#topics.get(topic)
    if (partitions === undefined) throw unknownTopic(topic, PLACE, this.#topics.keys())
    return partitions
  }

  #checkOpen(): void {
    if (this.#closed) throw closedLog(PLACE)
  }
}

function latestOf(kept: Partition | undefined): number {
  return kept === undefined ? 0 : kept.earliest + kept.records.length
}
