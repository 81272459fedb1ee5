/** @file What a topic is made with on Kafka, so that it keeps what the definition says and takes what we append. */

import type { TopicDefinition } from '../topic-log.ts'

/** What a batch of one record takes beside key and value: headers of batch and record, and our own. */
const RECORD_OVERHEAD_BYTES = 1_024

/** Kafka's default of max.message.bytes. */
const DEFAULT_MESSAGE_BYTES = 1_048_588

const FOREVER = '-1'
const ANY_TIME = '9223372036854775807'

/** Topic settings by their Kafka names. What retention does not mention is kept for ever, as the file log does. */
export function topicSettings(
  { cleanup, retentionBytes, retentionMs }: TopicDefinition,
  maxRecordBytes: number,
): Record<string, string> {
  return {
    'cleanup.policy': cleanup,
    'retention.ms': retentionMs === undefined ? FOREVER : String(retentionMs),
    'retention.bytes': retentionBytes === undefined ? FOREVER : String(retentionBytes),
    'max.message.bytes': String(
      Math.max(DEFAULT_MESSAGE_BYTES, maxRecordBytes + RECORD_OVERHEAD_BYTES),
    ),
    'message.timestamp.type': 'CreateTime',
  }
}

/** Kafka 3.6 and later refuse event times ahead of their clock, unless told: a wrong clock must not stop an append. */
export const TAKE_ANY_TIME: Readonly<Record<string, string>> = {
  'message.timestamp.after.max.ms': ANY_TIME,
  'message.timestamp.before.max.ms': ANY_TIME,
}
