/** @file The TopicLog on Apache Kafka: the production bus. Positions come from the caller; no consumer group is joined. */

import { setMaxListeners } from 'node:events'
import { createErrorFromCode } from 'kafkajs/src/protocol/error.js'
import { DEFAULT_PATIENCE_MS, type KafkaLogOptions } from '../options.ts'
import type {
  OutgoingRecord,
  PartitionBounds,
  Position,
  RecordBatch,
  TopicDefinition,
  TopicLog,
} from '../topic-log.ts'
import {
  assignPartitions,
  checkDefinition,
  checkPartition,
  checkSamePartitions,
  closedLog,
  DEFAULT_MAX_RECORD_BYTES,
  outOfRange,
  unknownTopic,
} from '../topic-rules.ts'
import type { GroupMember, GroupOptions } from '../work-group.ts'
import { deliver } from './batch-delivery.ts'
import { KafkaAppender } from './kafka-appender.ts'
import { KafkaConnection } from './kafka-connection.ts'
import { isErrorType, kafkaError } from './kafka-errors.ts'
import { KafkaMember } from './kafka-group.ts'
import { KafkaReader } from './kafka-reader.ts'
import { patiently } from './patience.ts'
import { TAKE_ANY_TIME, topicSettings } from './topic-settings.ts'

/**
 * Longest wait of one fetch, ms: how soon a closing log and other reads get their turn, and how long records on one node may
 * wait for another node that has none.
 */
const WAIT_SLICE_MS = 50

/** How long the first connection is tried: a wrong address should be said soon. */
const OPEN_PATIENCE_MS = 5_000

/** Error code for a topic that is being set up. */
const LEADER_NOT_AVAILABLE = 5

/** The replication that lets the cluster decide. */
const CLUSTER_DEFAULT = -1

/**
 * Connects to the cluster. Throws BROKER when no broker answers, the credentials are refused or the certificate is not
 * believed, each with what to do.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const log = new KafkaLog(options)
  try {
    await log.connect()
    return log
  } catch (error) {
    await log.close()
    throw error
  }
}

/** See `openKafkaLog`. Every operation waits for a broker that went away, up to `patienceMs`. */
export class KafkaLog implements TopicLog {
  readonly #options: KafkaLogOptions
  readonly #place: string
  readonly #maxRecordBytes: number
  readonly #connection: KafkaConnection
  readonly #reader: KafkaReader
  readonly #appender: KafkaAppender
  readonly #closing = new AbortController()
  #reading: Promise<unknown> = Promise.resolve()

  constructor(options: KafkaLogOptions) {
    // Every operation under way listens: any number of them is no leak.
    setMaxListeners(0, this.#closing.signal)
    this.#options = options
    this.#place = options.brokers.join(', ')
    this.#maxRecordBytes = options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES
    this.#connection = new KafkaConnection(options)
    this.#reader = new KafkaReader(this.#connection, (code, at) => this.#partitionError(code, at))
    const delivery = {
      connection: this.#connection,
      patiently: (operation: () => Promise<void>) => this.#patiently(operation),
      ends: new Map<string, number>(),
    }
    this.#appender = new KafkaAppender({
      openProducer: () => this.#patiently(() => this.#connection.openProducer()),
      produce: (batches) => deliver(delivery, batches),
      compression: options.compression ?? 'none',
    })
  }

  async connect(): Promise<void> {
    const patienceMs = Math.min(OPEN_PATIENCE_MS, this.#options.patienceMs ?? OPEN_PATIENCE_MS)
    await this.#guarded('open the log', () =>
      this.#patiently(() => this.#connection.connect(), patienceMs),
    )
  }

  async createTopic(definition: TopicDefinition): Promise<void> {
    this.#checkOpen()
    checkDefinition(definition)
    const { topic } = definition
    this.#connection.forgetLeaders()
    await this.#guarded(`create topic ${topic}`, async () => {
      const existing = await this.#patiently(() => this.#partitionsIfAny(topic))
      if (existing === undefined) await this.#makeTopic(definition)
      checkSamePartitions(existing ?? (await this.#appeared(topic)), definition)
    })
  }

  async topics(): Promise<ReadonlyMap<string, number>> {
    this.#checkOpen()
    return this.#guarded('list the topics', () => this.#patiently(() => this.#connection.topics()))
  }

  async bounds(topic: string): Promise<readonly PartitionBounds[]> {
    await this.#partitions(topic)
    return this.#guarded(`look up the offsets of ${topic}`, () =>
      this.#patiently(() => this.#connection.bounds(topic)),
    )
  }

  /** Records of one partition and one call are contiguous unless another process appends to it. */
  async append(topic: string, records: readonly OutgoingRecord[]): Promise<readonly Position[]> {
    const partitions = await this.#partitions(topic)
    const limits = { partitions, maxRecordBytes: this.#maxRecordBytes }
    const assigned = assignPartitions(topic, records, limits)
    return this.#guarded(`append to ${topic}`, () =>
      this.#appender.append(topic, records, assigned),
    )
  }

  async read(positions: readonly Position[], maxRecords: number): Promise<readonly RecordBatch[]> {
    await this.#checkPositions(positions)
    return this.#guarded(describeRead(positions), () =>
      this.#inTurn(() => this.#patiently(() => this.#reader.read(positions, maxRecords))),
    )
  }

  async waitForRecords(positions: readonly Position[], timeoutMs: number): Promise<boolean> {
    await this.#checkPositions(positions)
    return this.#guarded(describeRead(positions), async () => {
      for (let leftMs = timeoutMs; ; leftMs -= WAIT_SLICE_MS) {
        const waitMs = Math.max(0, Math.min(leftMs, WAIT_SLICE_MS))
        const look = (): Promise<boolean> => this.#reader.hasRecord(positions, waitMs)
        if (await this.#inTurn(() => this.#patiently(look))) return true
        if (this.#isClosed || leftMs <= WAIT_SLICE_MS) return false
      }
    })
  }

  /**
   * Lets the group's committed offsets follow positions that are safe elsewhere, for tools that show lag; nothing is ever read
   * from there. The group must have no members.
   */
  async commitOffsets(group: string, positions: readonly Position[]): Promise<void> {
    this.#checkOpen()
    await this.#guarded(`commit the offsets of group ${group}`, () =>
      this.#patiently(() => this.#connection.commitOffsets(group, positions)),
    )
  }

  /** The group must have no members of another kind. */
  async joinGroup(options: GroupOptions): Promise<GroupMember> {
    this.#checkOpen()
    const member = new KafkaMember({
      ...options,
      log: this.#options,
      patiently: (operation) =>
        this.#guarded(`be a member of group ${options.group}`, () => this.#patiently(operation)),
    })
    await member.connect()
    return member
  }

  async trim(at: Position): Promise<void> {
    await this.#guarded(`trim ${at.topic}`, () => this.#patiently(() => this.#connection.trim(at)))
  }

  /** Waits for appends and reads under way. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#closing.abort()
    await this.#reading
    await this.#reader.close()
    await this.#appender.close()
    await this.#connection.close()
  }

  /** Kafka 3.6 began to refuse times ahead of its clock; releases before do not know the settings for it. */
  async #makeTopic(definition: TopicDefinition): Promise<void> {
    const { topic, partitions } = definition
    const { replication = CLUSTER_DEFAULT } = this.#options
    const settings = topicSettings(definition, this.#maxRecordBytes)
    const make = (all: Record<string, string>): Promise<void> =>
      this.#patiently(() => this.#connection.createTopic(topic, partitions, replication, all))
    try {
      await make({ ...settings, ...TAKE_ANY_TIME })
    } catch (error) {
      if (!isErrorType(error, 'INVALID_CONFIG')) throw error
      await make(settings)
    }
  }

  /** Partitions of a topic that was just made: the brokers hear of it one after the other. */
  async #appeared(topic: string): Promise<number> {
    return this.#patiently(async () => {
      const partitions = await this.#partitionsIfAny(topic)
      if (partitions === undefined) throw createErrorFromCode(LEADER_NOT_AVAILABLE)
      return partitions
    })
  }

  async #partitionsIfAny(topic: string): Promise<number | undefined> {
    try {
      return (await this.#connection.leaders(topic)).length
    } catch (error) {
      if (isErrorType(error, 'UNKNOWN_TOPIC_OR_PARTITION')) return undefined
      throw error
    }
  }

  /** Throws BROKER when there is no such topic. */
  async #partitions(topic: string): Promise<number> {
    this.#checkOpen()
    return this.#guarded(`look up ${topic}`, async () => {
      const partitions = await this.#patiently(() => this.#partitionsIfAny(topic))
      if (partitions !== undefined) return partitions
      throw unknownTopic(topic, this.#place, (await this.topics()).keys())
    })
  }

  async #checkPositions(positions: readonly Position[]): Promise<void> {
    this.#checkOpen()
    for (const at of positions) checkPartition(at, await this.#partitions(at.topic))
  }

  async #partitionError(code: number, at: Position): Promise<Error> {
    const error = createErrorFromCode(code)
    if (!isErrorType(error, 'OFFSET_OUT_OF_RANGE')) return error
    const bounds = (await this.#connection.bounds(at.topic))[at.partition]
    return outOfRange(at, at.offset, bounds ?? { earliest: 0, latest: 0 })
  }

  /** Reads share the buffers: one after the other. */
  #inTurn<Result>(read: () => Promise<Result>): Promise<Result> {
    const done = this.#reading.then(read)
    this.#reading = done.catch(() => undefined)
    return done
  }

  #patiently<Result>(operation: () => Promise<Result>, patienceMs?: number): Promise<Result> {
    return patiently(operation, {
      patienceMs: patienceMs ?? this.#options.patienceMs ?? DEFAULT_PATIENCE_MS,
      closing: this.#closing.signal,
      onFailure: () => this.#connection.forgetLeaders(),
    })
  }

  async #guarded<Result>(doing: string, operation: () => Promise<Result>): Promise<Result> {
    try {
      return await operation()
    } catch (thrown) {
      throw kafkaError(thrown, doing, this.#options)
    }
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closedLog(this.#place)
  }
}

function describeRead(positions: readonly Position[]): string {
  return `read ${[...new Set(positions.map(({ topic }) => topic))].join(', ')}`
}
