/**
 * @file A member of a Kafka consumer group that holds partition numbers rather than a stream: JoinGroup, SyncGroup and Heartbeat of
 * kafkajs without its consumer. Nobody rejoins before it has come to rest, so a piece has left its old owner when a new one gets it.
 */

import { AssignerProtocol, Kafka } from 'kafkajs'
import Cluster, { type ClusterNode } from 'kafkajs/src/cluster/index.js'
import socketFactory from 'kafkajs/src/network/socketFactory.js'
import type { KafkaLogOptions } from '../options.ts'
import type { Position } from '../topic-log.ts'
import { type GroupMember, type GroupOptions, type Holder, shareOut } from '../work-group.ts'
import { clientConfig } from './client-config.ts'
import { isErrorType } from './kafka-errors.ts'

const { MemberMetadata, MemberAssignment } = AssignerProtocol

/** How the members agree to share: the leader runs `shareOut`. */
const PROTOCOL = 'millrace-fair'

/** Heartbeats in one session. */
const BEATS = 6

/** How long the others wait for a member to come to rest: an epoch and a checkpoint take far less. */
const REST_WITHIN_MS = 60_000

/** What the coordinator says when the group has moved on: rejoin. */
const REJOIN = ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'] as const

export interface KafkaMemberOptions extends GroupOptions {
  readonly log: KafkaLogOptions
  readonly patiently: <Result>(operation: () => Promise<Result>) => Promise<Result>
}

/** Has connections of its own: a JoinGroup blocks the one it is sent on. */
export class KafkaMember implements GroupMember {
  readonly #options: KafkaMemberOptions
  readonly #cluster: Cluster
  #memberId = ''
  #generation = -1
  #held: readonly number[] = []
  #unsettled = true
  #beating: NodeJS.Timeout | undefined
  /** The heartbeat under way, one at a time. */
  #beat: Promise<void> | undefined

  constructor(options: KafkaMemberOptions) {
    this.#options = options
    const config = clientConfig(options.log)
    this.#cluster = new Cluster({
      ...config,
      logger: new Kafka(config).logger(),
      socketFactory: socketFactory(),
      metadataMaxAge: 0,
      allowAutoTopicCreation: false,
    })
  }

  get id(): string {
    return this.#memberId
  }

  get unsettled(): boolean {
    return this.#unsettled
  }

  async connect(): Promise<void> {
    await this.#options.patiently(() => this.#cluster.connect())
  }

  async settle(release: (pieces: readonly number[]) => Promise<void>): Promise<readonly number[]> {
    await this.#endBeats()
    const before = this.#held
    for (let settled = false; !settled; ) {
      settled = await this.#options.patiently(() => this.#tryToSettle())
    }
    const { sessionMs } = this.#options
    this.#beating = setInterval(() => {
      this.#beat ??= this.#beatOnce().finally(() => {
        this.#beat = undefined
      })
    }, sessionMs / BEATS)
    this.#beating.unref()
    await release(before.filter((piece) => !this.#held.includes(piece)))
    return this.#held
  }

  async commitOffsets(positions: readonly Position[]): Promise<void> {
    await this.#unlessMoved(async (coordinator) => {
      await coordinator.offsetCommit({
        groupId: this.#options.group,
        groupGenerationId: this.#generation,
        memberId: this.#memberId,
        topics: positions.map(({ topic, partition, offset }) => ({
          topic,
          partitions: [{ partition, offset: String(offset) }],
        })),
      })
    })
  }

  async leave(): Promise<void> {
    await this.#endBeats()
    if (this.#memberId !== '') {
      await this.#unlessMoved((coordinator) =>
        coordinator.leaveGroup({ groupId: this.#options.group, memberId: this.#memberId }),
      )
    }
    await this.#cluster.disconnect()
  }

  /** False when the group moved on meanwhile. */
  async #tryToSettle(): Promise<boolean> {
    try {
      const coordinator = await this.#coordinator()
      this.#held = await this.#join(coordinator)
      this.#unsettled = false
      return true
    } catch (thrown) {
      if (!this.#hasMoved(thrown)) throw thrown
      return false
    }
  }

  async #join(coordinator: ClusterNode): Promise<readonly number[]> {
    const { group: groupId, sessionMs } = this.#options
    const joined = await coordinator.joinGroup({
      groupId,
      sessionTimeout: sessionMs,
      rebalanceTimeout: REST_WITHIN_MS,
      memberId: this.#memberId,
      groupProtocols: [{ name: PROTOCOL, metadata: this.#metadata() }],
    })
    this.#memberId = joined.memberId
    this.#generation = joined.generationId
    const leads = joined.leaderId === joined.memberId
    const synced = await coordinator.syncGroup({
      groupId,
      generationId: joined.generationId,
      memberId: joined.memberId,
      groupAssignment: leads ? this.#shares(joined.members) : [],
    })
    const assignment = MemberAssignment.decode(synced.memberAssignment)?.assignment ?? {}
    const [topic = ''] = this.#options.topics
    return (assignment[topic] ?? []).toSorted((a, b) => a - b)
  }

  #metadata(): Buffer {
    const userData = Buffer.from(JSON.stringify(this.#held))
    return MemberMetadata.encode({ version: 1, topics: [...this.#options.topics], userData })
  }

  /** As a consumer group has it, so that tools show who reads what: the piece's partition of every topic. */
  #shares(
    members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[],
  ): { memberId: string; memberAssignment: Buffer }[] {
    const holders = members.map(({ memberId, memberMetadata }): Holder => {
      return { id: memberId, held: heldIn(memberMetadata) }
    })
    const { topics, pieces } = this.#options
    return Array.from(shareOut(holders, pieces), ([memberId, share]) => {
      const assignment = Object.fromEntries(topics.map((topic) => [topic, share]))
      const userData = Buffer.alloc(0)
      const memberAssignment = MemberAssignment.encode({ version: 1, assignment, userData })
      return { memberId, memberAssignment }
    })
  }

  /** Keeps the session alive, and hears of changes. A broker that is away is not a change: the claims are the fence. */
  async #beatOnce(): Promise<void> {
    try {
      const coordinator = await this.#coordinator()
      await coordinator.heartbeat({
        groupId: this.#options.group,
        groupGenerationId: this.#generation,
        memberId: this.#memberId,
      })
    } catch (thrown) {
      this.#hasMoved(thrown)
    }
  }

  /**
   * A heartbeat that comes back later would speak of a generation that is over, and one that is sent later would open a connection
   * that nobody closes, so that the process never ends.
   */
  async #endBeats(): Promise<void> {
    clearInterval(this.#beating)
    await this.#beat
  }

  async #unlessMoved(request: (coordinator: ClusterNode) => Promise<unknown>): Promise<void> {
    // Caught inside: patience would wait for a rebalance that waits for this member.
    await this.#options.patiently(async () => {
      try {
        await request(await this.#coordinator())
      } catch (thrown) {
        if (!this.#hasMoved(thrown)) throw thrown
      }
    })
  }

  #coordinator(): Promise<ClusterNode> {
    return this.#cluster.findGroupCoordinator({ groupId: this.#options.group })
  }

  #hasMoved(thrown: unknown): boolean {
    const moved = REJOIN.some((type) => isErrorType(thrown, type))
    if (!moved) return false
    this.#unsettled = true
    if (isErrorType(thrown, 'UNKNOWN_MEMBER_ID')) this.#memberId = ''
    return true
  }
}

function heldIn(metadata: Buffer): readonly number[] {
  const userData = MemberMetadata.decode(metadata)?.userData
  const held: unknown = userData === undefined ? [] : JSON.parse(userData.toString() || '[]')
  return Array.isArray(held) ? held.filter((piece) => Number.isInteger(piece)) : []
}
