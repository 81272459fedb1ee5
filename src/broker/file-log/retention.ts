/** @file Forgets the oldest segments of a partition, whole ones only: by size, and by event age against the newest record. */

import { rmSync } from 'node:fs'
import type { TopicDefinition } from '../topic-log.ts'
import { segmentPath } from './segment-files.ts'
import { SegmentReader } from './segment-reader.ts'

/** What is known of one segment. */
interface SegmentFacts {
  readonly baseOffset: number
  readonly bytes: number
  readonly maxTimestampMs: number
}

/**
 * Deletes closed segments that the topic need not keep; `bases` ascending, the last one is being written and stays. Age is
 * counted from the newest timestamp of the partition, never from the wall clock: a replay forgets the same segments.
 */
export function dropOldSegments(
  directory: string,
  bases: readonly number[],
  { retentionBytes, retentionMs }: Pick<TopicDefinition, 'retentionBytes' | 'retentionMs'>,
): void {
  if (retentionBytes === undefined && retentionMs === undefined) return
  const segments = bases.map((base) => factsOf(directory, base))
  const newest = Math.max(...segments.map(({ maxTimestampMs }) => maxTimestampMs))
  let kept = segments.reduce((sum, { bytes }) => sum + bytes, 0)
  for (const segment of segments.slice(0, -1)) {
    const tooMany = retentionBytes !== undefined && kept - segment.bytes >= retentionBytes
    const tooOld = retentionMs !== undefined && segment.maxTimestampMs < newest - retentionMs
    // Only ever from the front: a hole in the middle would look like lost records.
    if (!tooMany && !tooOld) return
    rmSync(segmentPath(directory, segment.baseOffset), { force: true })
    kept -= segment.bytes
  }
}

function factsOf(directory: string, baseOffset: number): SegmentFacts {
  const segment = new SegmentReader(directory, baseOffset)
  try {
    segment.walk()
    return { baseOffset, bytes: segment.size(), maxTimestampMs: segment.maxTimestampMs }
  } finally {
    segment.close()
  }
}
