/**
 * @file The types of what kafka-log uses of kafkajs beyond its public API. The package is pinned to one version, and
 * test/kafka runs every one of these against a real broker.
 */

declare module 'kafkajs/src/cluster/index.js' {
  import type { ISocketFactory, KafkaConfig, Logger } from 'kafkajs'

  export interface WireRequest {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    encode(): Promise<unknown>
  }

  /** A request, and what turns the body of its response into a result. */
  export interface Exchange<Result> {
    readonly request: WireRequest
    readonly response: {
      decode(body: Buffer): Promise<{ readonly clientSideThrottleTime?: number }>
      parse(decoded: never): Promise<Result>
    }
    readonly requestTimeout?: number
    readonly logResponseError?: boolean
  }

  interface PartitionOffset {
    readonly partition: number
    readonly offset: string
  }

  interface TopicOffsets {
    readonly topic: string
    readonly partitions: readonly PartitionOffset[]
  }

  /** One node of the Kafka cluster, connected. Fetches have a connection of their own. */
  export interface ClusterNode {
    readonly connectionPool: {
      send<Result>(exchange: Exchange<Result>): Promise<Result>
      /** The connection of all requests but fetches, connected. */
      getConnection(): Promise<unknown>
    }
    disconnect(): Promise<void>
    listOffsets(request: {
      readonly isolationLevel: number
      readonly topics: readonly {
        readonly topic: string
        readonly partitions: readonly { readonly partition: number; readonly timestamp: number }[]
      }[]
    }): Promise<{ readonly responses: readonly TopicOffsets[] }>
    deleteRecords(request: { readonly topics: readonly TopicOffsets[] }): Promise<unknown>
    initProducerId(request: {
      readonly transactionTimeout: number
    }): Promise<{ readonly producerId: string; readonly producerEpoch: number }>
    offsetCommit(request: {
      readonly groupId: string
      readonly groupGenerationId: number
      readonly memberId: string
      readonly topics: readonly TopicOffsets[]
    }): Promise<unknown>
    joinGroup(request: {
      readonly groupId: string
      readonly sessionTimeout: number
      readonly rebalanceTimeout: number
      readonly memberId: string
      readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[]
    }): Promise<{
      readonly generationId: number
      readonly leaderId: string
      readonly memberId: string
      readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]
    }>
    syncGroup(request: {
      readonly groupId: string
      readonly generationId: number
      readonly memberId: string
      readonly groupAssignment: readonly {
        readonly memberId: string
        readonly memberAssignment: Buffer
      }[]
    }): Promise<{ readonly memberAssignment: Buffer }>
    heartbeat(request: {
      readonly groupId: string
      readonly groupGenerationId: number
      readonly memberId: string
    }): Promise<unknown>
    leaveGroup(request: { readonly groupId: string; readonly memberId: string }): Promise<unknown>
  }

  export interface TopicMetadata {
    readonly topic: string
    readonly isInternal: boolean
    readonly partitionMetadata: readonly {
      readonly partitionId: number
      readonly leader: number
    }[]
  }

  export default class Cluster {
    constructor(
      options: Omit<KafkaConfig, 'logLevel' | 'logCreator'> & {
        readonly logger: Logger
        readonly socketFactory: ISocketFactory
        readonly metadataMaxAge: number
        readonly allowAutoTopicCreation: boolean
      },
    )
    connect(): Promise<void>
    findControllerBroker(): Promise<ClusterNode>
    disconnect(): Promise<void>
    metadata(options: {
      readonly topics: string[]
    }): Promise<{ readonly topicMetadata: readonly TopicMetadata[] } | null>
    findBroker(options: { readonly nodeId: string }): Promise<ClusterNode>
    findGroupCoordinator(options: { readonly groupId: string }): Promise<ClusterNode>
  }
}

declare module 'kafkajs/src/protocol/requests/fetch/v11/request.js' {
  import type { WireRequest } from 'kafkajs/src/cluster/index.js'

  export default function fetchRequest(options: {
    readonly replicaId: number
    readonly maxWaitTime: number
    readonly minBytes: number
    readonly maxBytes: number
    readonly isolationLevel: number
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly {
        readonly partition: number
        readonly fetchOffset: string
        readonly maxBytes: number
      }[]
    }[]
  }): WireRequest
}

declare module 'kafkajs/src/network/socketFactory.js' {
  import type { ISocketFactory } from 'kafkajs'

  export default function socketFactory(): ISocketFactory
}

declare module 'kafkajs/src/protocol/error.js' {
  /** An error with `type`, such as NOT_LEADER_FOR_PARTITION, and `retriable`. */
  export function createErrorFromCode(code: number): Error
}

declare module 'kafkajs-snappy' {
  /** Snappy as Kafka frames it. */
  export default function snappy(): {
    compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
    decompress(bytes: Buffer): Promise<Buffer>
  }
}
