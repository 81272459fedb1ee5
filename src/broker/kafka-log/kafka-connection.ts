/**
 * @file The connection to a Kafka cluster through kafkajs: who leads which partition, fetches at any offset, bounds, topics,
 * committed offsets. kafkajs reads only through consumer groups; its cluster, connections and logins are used directly instead,
 * so that a read is a function of its position and no rebalance can take it away.
 */

import { type Admin, Kafka } from 'kafkajs'
import Cluster, {
  type ClusterNode,
  type Exchange,
  type TopicMetadata,
} from 'kafkajs/src/cluster/index.js'
import socketFactory from 'kafkajs/src/network/socketFactory.js'
import { createErrorFromCode } from 'kafkajs/src/protocol/error.js'
import fetchRequest from 'kafkajs/src/protocol/requests/fetch/v11/request.js'
import type { KafkaLogOptions } from '../options.ts'
import type { PartitionBounds, Position } from '../topic-log.ts'
import { clientConfig } from './client-config.ts'
import { type FetchedPartition, type FetchResponse, readFetchResponse } from './fetch-response.ts'
import type { ProducerIdentity } from './kafka-appender.ts'
import {
  type PartitionBatch,
  PRODUCE,
  type ProducedPartition,
  type ProduceResponse,
  readProduceResponse,
  writeProduceRequest,
} from './produce-request.ts'

/** Only what committed transactions wrote is read. */
const READ_COMMITTED = 1
/** Codes of errors: a node that went away, and no such partition. */
const NETWORK_EXCEPTION = 13
const UNKNOWN_TOPIC_OR_PARTITION = 3

const EARLIEST = -2
const LATEST = -1

/** Bytes of all partitions in one fetch; a broker caps it at its fetch.max.bytes. */
const FETCH_BYTES = 32 << 20

/** How long a request may take beyond the time that it waits for records, ms. */
const REQUEST_TIMEOUT_MS = 30_000

/** How long the replicas may take to acknowledge a batch, ms. */
const REPLICAS_WITHIN_MS = 30_000

/** One fetch from one node. */
export interface FetchOptions {
  readonly positions: readonly Position[]
  readonly partitionBytes: number
  /** How long the broker holds an empty answer back for a record to come. */
  readonly waitMs: number
}

/** See the file. Fails at once, with the errors of kafkajs: patience and wording are the caller's. */
export class KafkaConnection {
  readonly #admin: Admin
  readonly #cluster: Cluster
  /** Node id of the leader by partition. */
  readonly #leaders = new Map<string, readonly number[]>()
  readonly #opening = new Map<ClusterNode, Promise<unknown>>()

  constructor(options: KafkaLogOptions) {
    const config = clientConfig(options)
    const kafka = new Kafka(config)
    this.#admin = kafka.admin()
    this.#cluster = new Cluster({
      ...config,
      logger: kafka.logger(),
      socketFactory: socketFactory(),
      metadataMaxAge: 0,
      allowAutoTopicCreation: false,
    })
  }

  /** Connects, logs in, and asks something: a broker hangs up on those without a login only when they do. */
  async connect(): Promise<void> {
    await this.#cluster.connect()
    await this.#metadata([])
  }

  /** Every topic but Kafka's own, with its number of partitions. */
  async topics(): Promise<ReadonlyMap<string, number>> {
    const metadata = await this.#metadata([])
    return new Map(
      metadata
        .filter(({ isInternal }) => !isInternal)
        .map(({ topic, partitionMetadata }) => [topic, partitionMetadata.length]),
    )
  }

  /** Leaders by partition, remembered until `forgetLeaders`; UNKNOWN_TOPIC_OR_PARTITION when there is no such topic. */
  async leaders(topic: string): Promise<readonly number[]> {
    const known = this.#leaders.get(topic)
    if (known !== undefined) return known
    const [metadata] = await this.#metadata([topic])
    const leaders = (metadata?.partitionMetadata ?? [])
      .toSorted((a, b) => a.partitionId - b.partitionId)
      .map(({ leader }) => leader)
    this.#leaders.set(topic, leaders)
    return leaders
  }

  /** After an error: the leaders may have moved. */
  forgetLeaders(): void {
    this.#leaders.clear()
  }

  /** Makes a topic; does nothing when it exists. `replication` -1: what the cluster has as its default. */
  async createTopic(
    topic: string,
    partitions: number,
    replication: number,
    settings: Readonly<Record<string, string>>,
  ): Promise<void> {
    await this.#admin.connect()
    await this.#admin.createTopics({
      topics: [
        {
          topic,
          numPartitions: partitions,
          replicationFactor: replication,
          configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
        },
      ],
    })
  }

  /** First offset kept and next offset to read of every partition. */
  async bounds(topic: string): Promise<readonly PartitionBounds[]> {
    const [earliest, latest] = await Promise.all([
      this.#offsets(topic, EARLIEST),
      this.#offsets(topic, LATEST),
    ])
    return earliest.map((first, partition) => ({
      topic,
      partition,
      earliest: first,
      latest: latest[partition] ?? first,
    }))
  }

  /** What the node has at the positions; the positions must be of partitions that it leads. */
  async fetch(nodeId: number, options: FetchOptions): Promise<readonly FetchedPartition[]> {
    const { positions, partitionBytes, waitMs } = options
    const node = await this.#node(nodeId)
    const request = fetchRequest({
      replicaId: -1,
      maxWaitTime: waitMs,
      minBytes: 1,
      maxBytes: FETCH_BYTES,
      isolationLevel: READ_COMMITTED,
      topics: positions.map(({ topic, partition, offset }) => ({
        topic,
        partitions: [{ partition, fetchOffset: String(offset), maxBytes: partitionBytes }],
      })),
    })
    return this.#send(node, {
      request,
      response: {
        decode: async (body: Buffer): Promise<FetchResponse> => readFetchResponse(body),
        parse: async ({ errorCode, partitions }: FetchResponse) => {
          if (errorCode !== 0) throw createErrorFromCode(errorCode)
          return partitions
        },
      },
      requestTimeout: waitMs + REQUEST_TIMEOUT_MS,
      logResponseError: false,
    })
  }

  /**
   * Lets the broker delete what lies before the position. Not by the client for admins: it looks for the leader in metadata that it
   * has only of topics that it made itself, and never asks for others.
   */
  async trim({ topic, partition, offset }: Position): Promise<void> {
    const leader = (await this.leaders(topic))[partition]
    if (leader === undefined) throw createErrorFromCode(UNKNOWN_TOPIC_OR_PARTITION)
    const node = await this.#node(leader)
    const partitions = [{ partition, offset: String(offset) }]
    await node.deleteRecords({ topics: [{ topic, partitions }] })
  }

  /** Writes the group's offsets; the group must have no members. */
  async commitOffsets(group: string, positions: readonly Position[]): Promise<void> {
    const coordinator = await this.#cluster.findGroupCoordinator({ groupId: group })
    await coordinator.offsetCommit({
      groupId: group,
      groupGenerationId: -1,
      memberId: '',
      topics: positions.map(({ topic, partition, offset }) => ({
        topic,
        partitions: [{ partition, offset: String(offset) }],
      })),
    })
  }

  /** A new identity on the brokers: their memory of what was sent begins again. */
  async openProducer(): Promise<ProducerIdentity> {
    const node = await this.#cluster.findControllerBroker()
    const { producerId, producerEpoch } = await node.initProducerId({ transactionTimeout: 0 })
    return { producerId: BigInt(producerId), producerEpoch }
  }

  /** Appends the batches, whose partitions the node must lead. */
  async produce(
    nodeId: number,
    batches: readonly PartitionBatch[],
  ): Promise<readonly ProducedPartition[]> {
    const node = await this.#node(nodeId)
    return this.#send(node, {
      request: {
        ...PRODUCE,
        encode: async () => asEncoder(writeProduceRequest(batches, REPLICAS_WITHIN_MS)),
      },
      response: {
        decode: async (body: Buffer): Promise<ProduceResponse> => readProduceResponse(body),
        parse: async ({ partitions }: ProduceResponse) => partitions,
      },
      requestTimeout: REPLICAS_WITHIN_MS + REQUEST_TIMEOUT_MS,
      logResponseError: false,
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.#cluster.disconnect(), this.#admin.disconnect()])
  }

  async #metadata(topics: string[]): Promise<readonly TopicMetadata[]> {
    const metadata = await this.#cluster.metadata({ topics })
    // kafkajs answers so when the node went away between two requests.
    if (metadata === null) throw createErrorFromCode(NETWORK_EXCEPTION)
    return metadata.topicMetadata
  }

  /** By partition. */
  async #offsets(topic: string, timestamp: number): Promise<number[]> {
    const leaders = await this.leaders(topic)
    const offsets: number[] = []
    for (const leader of new Set(leaders)) {
      const partitions = [...leaders.keys()].filter((partition) => leaders[partition] === leader)
      const node = await this.#node(leader)
      const { responses } = await node.listOffsets({
        isolationLevel: READ_COMMITTED,
        topics: [{ topic, partitions: partitions.map((partition) => ({ partition, timestamp })) }],
      })
      for (const { partition, offset } of responses.flatMap((response) => response.partitions)) {
        offsets[partition] = Number(offset)
      }
    }
    return offsets
  }

  /** Connected: kafkajs opens a socket for every request that finds none, and forgets all but the last, which then never close. */
  async #node(nodeId: number): Promise<ClusterNode> {
    const node = await this.#cluster.findBroker({ nodeId: String(nodeId) })
    const opening = this.#opening.get(node) ?? node.connectionPool.getConnection()
    this.#opening.set(node, opening)
    try {
      await opening
    } finally {
      this.#opening.delete(node)
    }
    return node
  }

  async #send<Result>(node: ClusterNode, exchange: Exchange<Result>): Promise<Result> {
    try {
      return await node.connectionPool.send(exchange)
    } catch (thrown) {
      // What kafkajs does in every call of its own: a closed connection is opened again by the next call.
      const closed = thrown instanceof Error && thrown.name === 'KafkaJSConnectionClosedError'
      if (closed) await node.disconnect()
      throw thrown
    }
  }
}

/** Bytes in the shape that kafkajs puts into a request. */
function asEncoder(buffer: Buffer): { readonly buf: Buffer; readonly buffer: Buffer } {
  return { buf: buffer, buffer }
}
