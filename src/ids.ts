/** @file Names of places on the bus, shared by every folder. */

/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `topic/partition`, for maps, logs and errors. */
export function partitionName(at: TopicPartition): string {
  return `${at.topic}/${at.partition}`
}
