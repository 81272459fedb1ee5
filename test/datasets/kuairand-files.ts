/** @file Small CSV files in KuaiRand's format, made up here. */

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { KuairandFiles } from '../../src/datasets/kuairand.ts'

export const LOG_HEADER =
  'user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,long_view,play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab'
export const USER_HEADER = `user_id,user_active_degree,is_lowactive_period,is_live_streamer,is_video_author,follow_user_num,follow_user_num_range,fans_user_num,fans_user_num_range,friend_user_num,friend_user_num_range,register_days,register_days_range,${Array.from({ length: 18 }, (_, i) => `onehot_feat${i}`).join(',')}`
export const VIDEO_HEADER =
  'video_id,author_id,video_type,upload_dt,upload_type,visible_status,video_duration,server_width,server_height,music_id,music_type,tag'

/** First event time of the made-up log: 2022-04-25 00:00 UTC. */
export const START_MS = Date.UTC(2022, 3, 25)

/** A row of the log: who saw what at `START_MS` + `atMs`, and what came of it. */
export function logRow(
  userId: number,
  videoId: number,
  atMs: number,
  outcomes: readonly string[] = [],
  playTimeMs = 4_000,
): string {
  const cells: Record<string, number> = {
    user_id: userId,
    video_id: videoId,
    date: 20220425,
    time_ms: START_MS + atMs,
    play_time_ms: playTimeMs,
    duration_ms: 10_000,
    tab: 1,
  }
  for (const outcome of outcomes) cells[outcome] = 1
  return LOG_HEADER.split(',')
    .map((name) => cells[name] ?? 0)
    .join(',')
}

export const USER_ROW = `7,full_active,0,-124,1,5,"(0,10]",12,"[10,100)",4,"[1,5)",400,366-730,1,2,3,4,5.0,,7,8,9,10,11,12,0.0,1.0,0.0,0.0,0.0,0.0`
export const VIDEO_ROW =
  '3,900,NORMAL,2022-04-23,LongImport,0.0,10000.0,720.0,1280.0,55,9.0,"20,67"'

export interface Contents {
  readonly log: readonly string[]
  readonly users?: readonly string[]
  readonly videos?: readonly string[]
}

/** Writes the three files, headers included, into a new folder. */
export function writeFiles(contents: Contents, packed = false): KuairandFiles {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-kuairand-'))
  const write = (name: string, lines: readonly string[]): string => {
    const path = join(folder, name)
    const bytes = Buffer.from(`${lines.join('\n')}\n`)
    writeFileSync(path, packed ? gzipSync(bytes) : bytes)
    return path
  }
  return {
    log: write('log.csv', [LOG_HEADER, ...contents.log]),
    users: write('users.csv', [USER_HEADER, ...(contents.users ?? [USER_ROW])]),
    videos: write('videos.csv', [VIDEO_HEADER, ...(contents.videos ?? [VIDEO_ROW])]),
  }
}
