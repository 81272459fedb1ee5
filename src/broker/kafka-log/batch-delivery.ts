/** @file Gets batches to the leaders of their partitions: each is repeated, byte for byte, until its leader acknowledged it. */

import { createErrorFromCode } from 'kafkajs/src/protocol/error.js'
import { partitionName, type TopicPartition } from '../../ids.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import type { PartitionBatch, ProducedPartition } from './produce-request.ts'

/**
 * Delivers at most one batch of each partition. `patiently` repeats what it is given; what was acknowledged is not sent again.
 * Throws the error of a batch that failed for good, or is not acknowledged when patience ends.
 */
export async function deliver(
  connection: KafkaConnection,
  batches: readonly PartitionBatch[],
  patiently: (operation: () => Promise<void>) => Promise<void>,
): Promise<readonly ProducedPartition[]> {
  const acknowledged = new Map<string, ProducedPartition>()
  await patiently(async () => {
    const waiting = batches.filter((batch) => !acknowledged.has(partitionName(batch)))
    const groups = await groupByLeader(connection, waiting)
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
  return [...acknowledged.values()]
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
