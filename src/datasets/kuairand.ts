/** @file KuaiRand-Pure as an event stream: real impressions of a short-video app and the actions on them. */

import type { Delivery } from '../delivery.ts'
import type { EventTime } from '../time.ts'
import { actionDelayMs } from './action-delays.ts'
import type { BadRow } from './csv-table.ts'
import {
  type LogRow,
  type Outcome,
  readLog,
  readUsers,
  readVideos,
  type SideFields,
  type VideoRow,
} from './kuairand-tables.ts'

/** The three CSV files, plain or gzip. */
export interface KuairandFiles {
  readonly log: string
  readonly users: string
  readonly videos: string
}

/** Kind of the event that each outcome of the log becomes; `is_forward` is what other apps call a share. */
export const KUAIRAND_ACTIONS: Readonly<Record<Outcome, string>> = {
  is_click: 'click',
  is_like: 'like',
  is_follow: 'follow',
  is_comment: 'comment',
  is_forward: 'share',
  long_view: 'long_view',
}

/** The files read into memory, ready to be delivered. */
export interface KuairandStream {
  /** Rows of the log that became impressions, repeats included. */
  readonly rows: number
  /** Rows of any of the files that were left out, with the reason. */
  readonly badRows: readonly BadRow[]
  /**
   * Impressions and actions in the order of their event times (ties: order of the log, an impression before its actions);
   * iterating again gives the same again. The event id of an impression is its key `user-video-time`, so that a repeated row is
   * a duplicate delivery, and so are its actions.
   */
  readonly deliveries: Iterable<Delivery>
}

/** Reads the files. Throws IO for one that cannot be read and BAD_INPUT for a wrong header; bad rows are values. */
export async function readKuairand(files: KuairandFiles): Promise<KuairandStream> {
  const users = await readUsers(files.users)
  const videos = await readVideos(files.videos)
  const log = await readLog(files.log)
  // A stable sort: rows of the same millisecond stay as the file has them.
  log.rows.sort((a, b) => a.timeMs - b.timeMs)
  return {
    rows: log.rows.length,
    badRows: [...users.badRows, ...videos.badRows, ...log.badRows],
    deliveries: { [Symbol.iterator]: () => deliver(log.rows, users.rows, videos.rows) },
  }
}

/** An action that waits for its time. */
interface Pending {
  readonly timeMs: EventTime
  readonly row: LogRow
  readonly outcome: Outcome
}

const utf8 = new TextEncoder()

function* deliver(
  rows: readonly LogRow[],
  users: ReadonlyMap<string, SideFields>,
  videos: ReadonlyMap<string, VideoRow>,
): Generator<Delivery> {
  const actions = actionsOf(rows)
  let next = 0
  for (const row of rows) {
    for (let action = actions[next]; action && action.timeMs < row.timeMs; action = actions[next]) {
      yield actionDelivery(action)
      next++
    }
    yield impressionDelivery(row, users.get(row.userId), videos.get(row.videoId))
  }
  for (const action of actions.slice(next)) yield actionDelivery(action)
}

/** Every action of the log by event time; every delay is at least 1 ms, so none comes before its impression. */
function actionsOf(rows: readonly LogRow[]): Pending[] {
  const actions = rows.flatMap((row) =>
    row.outcomes.map((outcome) => ({
      timeMs: row.timeMs + actionDelayMs(row, outcome),
      row,
      outcome,
    })),
  )
  return actions.sort((a, b) => a.timeMs - b.timeMs)
}

function keyOf(row: LogRow): string {
  return `${row.userId}-${row.videoId}-${row.timeMs}`
}

/** The fields of `examples/kuairand/schemas/impression.avsc`: what was known when the video was shown, no outcome. */
function impressionDelivery(
  row: LogRow,
  user: SideFields | undefined,
  video: VideoRow | undefined,
): Delivery {
  const id = keyOf(row)
  const ageDays = (row.timeMs - (video?.uploadedMs ?? Number.NaN)) / 86_400_000
  return {
    kind: 'impression',
    key: utf8.encode(id),
    timestampMs: row.timeMs,
    value: {
      event_id: id,
      impression_id: id,
      user_id: row.userId,
      video_id: row.videoId,
      event_time: row.timeMs,
      tab: row.tab,
      duration_ms: row.durationMs,
      video_age_days: Number.isNaN(ageDays) ? null : ageDays,
      ...user,
      ...video?.fields,
    },
    damage: undefined,
  }
}

/** The fields of the action's schema in `examples/kuairand/schemas`. */
function actionDelivery({ timeMs, row, outcome }: Pending): Delivery {
  const impressionId = keyOf(row)
  const kind = KUAIRAND_ACTIONS[outcome]
  return {
    kind,
    key: utf8.encode(impressionId),
    timestampMs: timeMs,
    value: {
      event_id: `${impressionId}-${kind}`,
      impression_id: impressionId,
      user_id: row.userId,
      video_id: row.videoId,
      event_time: timeMs,
    },
    damage: undefined,
  }
}
