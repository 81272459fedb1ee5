/** @file Where a partition begins: what lies before was trimmed, or deleted by retention. */

import type { TopicLog } from '../src/broker/topic-log.ts'
import type { TopicPartition } from '../src/ids.ts'

/** The first offset that can be read; 0 for a partition that the topic does not have. */
export async function earliestOffset(log: TopicLog, at: TopicPartition): Promise<number> {
  const bounds = await log.bounds(at.topic)
  return bounds.find(({ partition }) => partition === at.partition)?.earliest ?? 0
}
