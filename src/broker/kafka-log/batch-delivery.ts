/**
 * @file Gets batches to the leaders of their partitions: each is repeated, byte for byte, until its leader
 * acknowledged it or it is found on the log.
 */

import { createErrorFromCode } from 'kafkajs/src/protocol/error.js'
import { partitionName, type TopicPartition } from '../../ids.ts'
import { arrivedAt } from './arrived-batch.ts'
import { BATCH } from './batch-layout.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import type { PartitionBatch, ProducedPartition } from './produce-request.ts'

/** Where the log ended when a partition was last looked at or appended to, by partition: what was sent since lies behind it. */
export type KnownEnds = Map<string, number>

/** How batches are delivered. */
export interface DeliveryParts {
  readonly connection: KafkaConnection
  /** Repeats what it is given until it succeeds, fails for good, or patience ends. */
  readonly patiently: (operation: () => Promise<void>) => Promise<void>
  /** Kept from call to call. */
  readonly ends: KnownEnds
}

/**
 * Delivers at most one batch of each partition; what was acknowledged, or is found on the log, is not sent again.
 * Throws the error of a batch that failed for good, or is not acknowledged when patience ends.
 */
export async function deliver(
  { connection, patiently, ends }: DeliveryParts,
  batches: readonly PartitionBatch[],
): Promise<readonly ProducedPartition[]> {
  const acknowledged = new Map<string, ProducedPartition>()
  const missing = (): PartitionBatch[] =>
    batches.filter((batch) => !acknowledged.has(partitionName(batch)))
  await patiently(() => learnEnds(connection, batches, ends))
  let sentBefore = false
  await patiently(async () => {
    if (sentBefore) await noteArrived(connection, missing(), ends, acknowledged)
    const groups = await groupByLeader(connection, missing())
    sentBefore = true
    const answers = await Promise.allSettled(
      Array.from(groups, ([leader, led]) => connection.produce(leader, led)),
    )
    let failure: unknown
    for (const answer of answers) {
      if (answer.status === 'rejected') failure ??= answer.reason
      else failure ??= note(answer.value, acknowledged)
    }
    if (failure !== undefined) throw failure
  })
  for (const batch of batches) {
    const name = partitionName(batch)
    const base = acknowledged.get(name)?.baseOffset
    if (base !== undefined) ends.set(name, base + recordCount(batch))
  }
  return [...acknowledged.values()]
}

/** The ends of partitions that nothing was sent to yet. */
async function learnEnds(
  connection: KafkaConnection,
  batches: readonly PartitionBatch[],
  ends: KnownEnds,
): Promise<void> {
  for (const { topic, partition } of batches) {
    if (ends.has(partitionName({ topic, partition }))) continue
    for (const bounds of await connection.bounds(topic)) {
      const name = partitionName(bounds)
      if (!ends.has(name)) ends.set(name, bounds.latest)
    }
  }
}

/** Batches that are on the log although nobody said so count as acknowledged. */
async function noteArrived(
  connection: KafkaConnection,
  batches: readonly PartitionBatch[],
  ends: KnownEnds,
  acknowledged: Map<string, ProducedPartition>,
): Promise<void> {
  for (const [leader, led] of await groupByLeader(connection, batches)) {
    for (const batch of led) {
      const name = partitionName(batch)
      const baseOffset = await arrivedAt(connection, leader, batch, ends.get(name) ?? 0)
      if (baseOffset === undefined) continue
      const { topic, partition } = batch
      acknowledged.set(name, { topic, partition, errorCode: 0, baseOffset })
    }
  }
}

function recordCount({ batch }: PartitionBatch): number {
  return batch.readInt32BE(BATCH.recordCount)
}

/** Takes note of what was acknowledged; gives the error of the first that was not. */
function note(
  answers: readonly ProducedPartition[],
  acknowledged: Map<string, ProducedPartition>,
): Error | undefined {
  let failure: Error | undefined
  for (const answer of answers) {
    if (answer.errorCode === 0) acknowledged.set(partitionName(answer), answer)
    else failure ??= createErrorFromCode(answer.errorCode)
  }
  return failure
}

/** Things of partitions by the node that leads them. */
export async function groupByLeader<Thing extends TopicPartition>(
  connection: KafkaConnection,
  things: readonly Thing[],
): Promise<ReadonlyMap<number, Thing[]>> {
  const groups = new Map<number, Thing[]>()
  for (const thing of things) {
    const leader = (await connection.leaders(thing.topic))[thing.partition] ?? -1
    const group = groups.get(leader)
    if (group === undefined) groups.set(leader, [thing])
    else group.push(thing)
  }
  return groups
}
