/** @file Feeds a follower from a model topic: from the newest full update, or from wherever it stands, to the end. */

import type { TopicLog } from '../src/broker/topic-log.ts'
import type { ChunkCodec } from '../src/publish/chunk-codec.ts'
import type { Followed, Follower } from '../src/serve/follower.ts'

const READ_RECORDS = 64

/** Where a late joiner starts: what the newest chunk says is the start of the newest full update. */
export async function startOffset(
  log: TopicLog,
  topic: string,
  codec: ChunkCodec,
): Promise<number> {
  const [bounds] = await log.bounds(topic)
  const { earliest = 0, latest = 0 } = bounds ?? {}
  for (let offset = latest - 1; offset >= earliest; offset--) {
    const [batch] = await log.read([{ topic, partition: 0, offset }], 1)
    const record = batch?.records[0]
    const decoded = record === undefined ? undefined : codec.decode(record.value)
    if (decoded?.kind === 'chunk' && decoded.chunk.full_offset >= earliest) {
      return decoded.chunk.full_offset
    }
  }
  return earliest
}

/** Reads from an offset (default: `startOffset`) to the end of the topic as it is now; returns the offset to go on from. */
export async function followToEnd(
  log: TopicLog,
  topic: string,
  codec: ChunkCodec,
  follower: Follower,
  from?: number,
  onFollowed: (followed: Followed) => void = () => undefined,
): Promise<number> {
  let offset = from ?? (await startOffset(log, topic, codec))
  for (;;) {
    const [batch] = await log.read([{ topic, partition: 0, offset }], READ_RECORDS)
    if (batch === undefined) return offset
    for (const record of batch.records) {
      const decoded = codec.decode(record.value)
      if (decoded.kind === 'chunk') onFollowed(await follower.followInTurns(decoded.chunk))
    }
    offset = batch.nextOffset
  }
}
