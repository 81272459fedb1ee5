/** @file Follows a model topic until it is stopped: one piece of the topic at a time, with requests in between. */

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { TopicLog } from '../src/broker/topic-log.ts'
import { MillraceError, messageOf } from '../src/errors.ts'
import type { UpdateChunk } from '../src/publish/chunk.ts'
import type { ChunkCodec } from '../src/publish/chunk-codec.ts'
import type { CurrentFollower } from '../src/serve/current-follower.ts'
import type { ScorerReport, UpdateRefusal } from '../src/serve/scorer-report.ts'
import { startOffset } from './follow-topic.ts'

/** What is followed, and who is told. */
export interface FollowOptions {
  readonly log: TopicLog
  readonly topic: string
  readonly codec: ChunkCodec
  readonly current: CurrentFollower
  /** Where to start; the newest full version unless given. */
  readonly from?: number
  /** Called at the end of the topic: where to read on when another follower took over. */
  readonly look?: (options: FollowOptions) => Promise<number | undefined>
  readonly report: (report: ScorerReport) => void
  /** Called whenever the end of the topic is reached and the decisions of operators are obeyed. */
  readonly onCaughtUp: () => void
  readonly signal: AbortSignal
}

const READ_RECORDS = 16

/** Longest wait for new records, ms: how soon a stop is noticed. */
const WAIT_MS = 200

/** Between two tries of a topic that cannot be read, ms. */
const RETRY_MS = 1_000

/**
 * Resolves when the signal is given. A broker that is away, a topic that is not there yet and a damaged log are reported and
 * tried again: the last good version goes on scoring. What else is thrown is a fault of the program.
 */
export async function followUntilStopped(options: FollowOptions): Promise<void> {
  const { signal, report } = options
  let offset = options.from
  while (!signal.aborted) {
    try {
      offset = await step(options, offset)
    } catch (thrown) {
      if (signal.aborted) return
      if (!isOutside(thrown)) throw thrown
      report({ kind: 'unreadable', message: messageOf(thrown) })
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
      offset = await stillKept(options, offset)
    }
  }
}

/** Reads one piece, or waits for one; returns the offset to go on from. */
async function step(options: FollowOptions, from: number | undefined): Promise<number> {
  const { log, topic, codec } = options
  const offset = from ?? (await startOffset(log, topic, codec))
  const at = { topic, partition: 0, offset }
  const [batch] = await log.read([at], READ_RECORDS)
  if (batch === undefined) {
    // Decisions first: whoever is told that the end is reached scores with what is in use now.
    const elsewhere = await options.look?.(options)
    options.onCaughtUp()
    if (elsewhere !== undefined) return elsewhere
    await log.waitForRecords([at], WAIT_MS)
    return offset
  }
  for (const { value } of batch.records) {
    const decoded = codec.decode(value)
    if (decoded.kind === 'chunk') await take(options, decoded.chunk)
    else refused(options, 'malformed', decoded.reason)
    await nextTurn()
  }
  return batch.nextOffset
}

async function take(options: FollowOptions, chunk: UpdateChunk): Promise<void> {
  const { current, report } = options
  const { follower } = current
  const followed = await follower.followInTurns(chunk)
  if (followed.kind === 'refused') refused(options, followed.reason, followed.detail)
  if (followed.kind !== 'applied') return
  report({
    kind: 'applied',
    modelId: chunk.model_id,
    sequence: followed.sequence,
    sha256: follower.sha256,
    tableRows: follower.model?.rows ?? 0,
    publishedAtMs: chunk.published_at_ms,
  })
}

function refused({ current, report }: FollowOptions, reason: UpdateRefusal, detail: string): void {
  report({ kind: 'refused', reason, detail, usable: current.model !== undefined })
}

function isOutside(thrown: unknown): boolean {
  return thrown instanceof MillraceError && ['BROKER', 'IO', 'CORRUPT'].includes(thrown.code)
}

/** The offset if it is still on the topic; else undefined: start again from the newest full update. */
async function stillKept(
  { log, topic }: FollowOptions,
  offset: number | undefined,
): Promise<number | undefined> {
  if (offset === undefined) return undefined
  try {
    const [bounds] = await log.bounds(topic)
    const { earliest = 0, latest = 0 } = bounds ?? {}
    return offset >= earliest && offset <= latest ? offset : undefined
  } catch (thrown) {
    // Not readable still: the next step says so.
    if (isOutside(thrown)) return offset
    throw thrown
  }
}
