/** @file What every log demands of topics, records and positions, with one wording of the errors for all of them. */

import { MillraceError } from '../errors.ts'
import type { TopicPartition } from '../ids.ts'
import { partitionName } from '../ids.ts'
import { partitionOf } from './partitioner.ts'
import type { OutgoingRecord, TopicDefinition } from './topic-log.ts'

/** The largest key plus value that a log takes unless told otherwise: 1 MiB, as a Kafka broker does. */
export const DEFAULT_MAX_RECORD_BYTES = 1_048_576

/** What Kafka takes as a topic's name, except the two that are directories. */
export function isTopicName(name: string): boolean {
  return /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..'
}

/** Throws BROKER unless the topic could be made in any log. */
export function checkDefinition({ topic, partitions }: TopicDefinition): void {
  if (!isTopicName(topic)) {
    throw new MillraceError('BROKER', `${JSON.stringify(topic)} is no topic name`, {
      remedy: 'Use 1 to 249 letters, digits, dots, underscores and hyphens.',
    })
  }
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 10_000) {
    throw new MillraceError('BROKER', `topic ${topic} with ${partitions} partitions`, {
      remedy: 'Give a whole number of partitions from 1 to 10000.',
    })
  }
}

/** Throws BROKER when a topic that exists is to be made again in another shape. */
export function checkSamePartitions(
  existing: number,
  { topic, partitions }: TopicDefinition,
): void {
  if (existing === partitions) return
  throw new MillraceError(
    'BROKER',
    `topic ${topic} has ${existing} partitions, not ${partitions}`,
    {
      remedy: 'Keep the number of partitions, or take another topic: keys would change partition.',
    },
  )
}

/**
 * The partition of each record: its own, or its key's. Throws BROKER for the first record that the topic cannot take,
 * before any is written.
 */
export function assignPartitions(
  topic: string,
  records: readonly OutgoingRecord[],
  limits: { readonly partitions: number; readonly maxRecordBytes: number },
): Uint32Array {
  const assigned = new Uint32Array(records.length)
  records.forEach((record, i) => {
    const { key, value, partition, timestampMs } = record
    const bytes = key.length + value.length
    if (bytes > limits.maxRecordBytes) {
      throw new MillraceError(
        'BROKER',
        `record ${i} for ${topic} has ${bytes} bytes, the limit is ${limits.maxRecordBytes}`,
        { remedy: 'Split it, or raise maxRecordBytes (and the limit of the broker).' },
      )
    }
    if (!Number.isFinite(timestampMs)) {
      throw new MillraceError('BROKER', `record ${i} for ${topic} has the time ${timestampMs}`, {
        remedy: 'Give a time in Unix milliseconds.',
      })
    }
    if (partition !== undefined) checkPartition({ topic, partition }, limits.partitions)
    assigned[i] = partition ?? partitionOf(key, limits.partitions)
  })
  return assigned
}

/** Throws BROKER when the topic has no such partition. */
export function checkPartition(at: TopicPartition, partitions: number): void {
  if (Number.isInteger(at.partition) && at.partition >= 0 && at.partition < partitions) return
  throw new MillraceError('BROKER', `${partitionName(at)} does not exist`, {
    remedy: `${at.topic} has the partitions 0 to ${partitions - 1}.`,
  })
}

/** The error for a topic that nobody made. */
export function unknownTopic(topic: string, place: string, known: Iterable<string>): MillraceError {
  const names = [...known].sort()
  return new MillraceError('BROKER', `topic ${topic} does not exist in ${place}`, {
    remedy:
      names.length === 0
        ? 'Create it first; there are no topics yet.'
        : `Create it first, or use one of ${names.join(', ')}.`,
  })
}

/**
 * The error for a position outside what is kept. Reading on from elsewhere would lose records silently, so nobody decides
 * that but the caller.
 */
export function outOfRange(
  at: TopicPartition,
  offset: number,
  bounds: { readonly earliest: number; readonly latest: number },
): MillraceError {
  const reason =
    offset < bounds.earliest
      ? `is no longer kept, the first is ${bounds.earliest}`
      : `does not exist yet, the next to be written is ${bounds.latest}`
  return new MillraceError('BROKER', `offset ${offset} of ${partitionName(at)} ${reason}`, {
    remedy: 'Start from the bounds of the partition, or keep more of the topic (retention).',
  })
}

/** The error for a use after `close()`. */
export function closedLog(place: string): MillraceError {
  return new MillraceError('BROKER', `the log ${place} is closed`, { remedy: 'Open it again.' })
}
