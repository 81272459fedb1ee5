/** @file The three tables of KuaiRand-Pure (Gao et al., CIKM 2022): their columns, and which of them may be features. */

import { type BadRow, readCsv } from './csv-table.ts'

const SOURCE =
  'Get KuaiRand-Pure from https://kuairand.com (Licence CC BY-SA 4.0) and name its standard log, user features and basic video features.'

const LOG_HEADER =
  'user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,long_view,play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab'.split(
    ',',
  )
const USER_HEADER =
  'user_id,user_active_degree,is_lowactive_period,is_live_streamer,is_video_author,follow_user_num,follow_user_num_range,fans_user_num,fans_user_num_range,friend_user_num,friend_user_num_range,register_days,register_days_range,onehot_feat0,onehot_feat1,onehot_feat2,onehot_feat3,onehot_feat4,onehot_feat5,onehot_feat6,onehot_feat7,onehot_feat8,onehot_feat9,onehot_feat10,onehot_feat11,onehot_feat12,onehot_feat13,onehot_feat14,onehot_feat15,onehot_feat16,onehot_feat17'.split(
    ',',
  )
const VIDEO_HEADER =
  'video_id,author_id,video_type,upload_dt,upload_type,visible_status,video_duration,server_width,server_height,music_id,music_type,tag'.split(
    ',',
  )

/** The user's columns that become features, under their own names, as text. */
const USER_FIELDS = USER_HEADER.filter(
  (name) =>
    !['user_id', 'follow_user_num', 'fans_user_num', 'friend_user_num', 'register_days'].includes(
      name,
    ),
)
/** The video's columns that become features as text. */
const VIDEO_FIELDS = ['author_id', 'video_type', 'upload_type', 'music_id', 'music_type']

/** Fields of the impression that a side table gives; null where its cell is empty. */
export type SideFields = Readonly<Record<string, string | number | readonly string[] | null>>

/** A video's fields, and the day it was uploaded, from which its age at an impression follows. */
export interface VideoRow {
  readonly fields: SideFields
  /** Midnight UTC of the upload day, Unix ms; NaN when unknown. */
  readonly uploadedMs: number
}

/** One row of the log. The outcomes are here to make actions from; none may become a field of the impression. */
export interface LogRow {
  readonly userId: string
  readonly videoId: string
  readonly timeMs: number
  readonly tab: string
  readonly durationMs: number
  /** Outcome: how long the user watched. */
  readonly playTimeMs: number
  /** Outcomes: the columns of `OUTCOMES` that are 1. */
  readonly outcomes: readonly Outcome[]
}

/** Columns of the log that say what the user did, in the order of the actions' kinds in `kuairand.ts`. */
export const OUTCOMES = [
  'is_click',
  'is_like',
  'is_follow',
  'is_comment',
  'is_forward',
  'long_view',
] as const

export type Outcome = (typeof OUTCOMES)[number]

/** A table in memory and the rows of its file that were refused. */
export interface Loaded<T> {
  readonly rows: T
  readonly badRows: readonly BadRow[]
}

/** Every user's fields by user_id. */
export async function readUsers(file: string): Promise<Loaded<ReadonlyMap<string, SideFields>>> {
  const columns = USER_FIELDS.map((name) => ({ name, at: USER_HEADER.indexOf(name) }))
  const rows = new Map<string, SideFields>()
  const badRows = await readCsv({ file, header: USER_HEADER, source: SOURCE }, (cells) => {
    const id = cells[0] ?? ''
    if (!isWhole(id)) return notWhole('user_id', id)
    rows.set(id, Object.fromEntries(columns.map(({ name, at }) => [name, category(cells[at])])))
    return undefined
  })
  return { rows, badRows }
}

/** Every video's fields by video_id. */
export async function readVideos(file: string): Promise<Loaded<ReadonlyMap<string, VideoRow>>> {
  const columns = VIDEO_FIELDS.map((name) => ({ name, at: VIDEO_HEADER.indexOf(name) }))
  const tagAt = VIDEO_HEADER.indexOf('tag')
  const uploadAt = VIDEO_HEADER.indexOf('upload_dt')
  const rows = new Map<string, VideoRow>()
  const badRows = await readCsv({ file, header: VIDEO_HEADER, source: SOURCE }, (cells) => {
    const id = cells[0] ?? ''
    if (!isWhole(id)) return notWhole('video_id', id)
    const fields = columns.map(({ name, at }): [string, string | null] => [
      name,
      category(cells[at]),
    ])
    const tags = (cells[tagAt] ?? '').split(',').filter((tag) => tag !== '')
    rows.set(id, {
      fields: { ...Object.fromEntries(fields), tags },
      uploadedMs: Date.parse(cells[uploadAt] ?? ''),
    })
    return undefined
  })
  return { rows, badRows }
}

/** Every row of the log in file order, repeats included. */
export async function readLog(file: string): Promise<Loaded<LogRow[]>> {
  const rows: LogRow[] = []
  const column = (name: string): number => LOG_HEADER.indexOf(name)
  const wholeColumns = ['user_id', 'video_id', 'time_ms', 'play_time_ms', 'duration_ms', 'tab']
  const whole = wholeColumns.map((name) => ({ name, at: column(name) }))
  const outcomes = OUTCOMES.map((name) => ({ name, at: column(name) }))
  const badRows = await readCsv({ file, header: LOG_HEADER, source: SOURCE }, (cells) => {
    for (const { name, at } of whole) {
      if (!isWhole(cells[at] ?? '')) return notWhole(name, cells[at] ?? '')
    }
    for (const { name, at } of outcomes) {
      if (cells[at] !== '0' && cells[at] !== '1')
        return `${name} is "${cells[at]}", neither 0 nor 1`
    }
    const cell = (index: number): string => cells[whole[index]?.at ?? 0] ?? ''
    rows.push({
      userId: cell(0),
      videoId: cell(1),
      timeMs: Number(cell(2)),
      playTimeMs: Number(cell(3)),
      durationMs: Number(cell(4)),
      tab: cell(5),
      outcomes: outcomes.filter(({ at }) => cells[at] === '1').map(({ name }) => name),
    })
    return undefined
  })
  return { rows, badRows }
}

/** Text of a category; the file writes some whole numbers as 4.0 where others of their column are missing. */
function category(cell: string | undefined): string | null {
  if (cell === undefined || cell === '') return null
  return cell.endsWith('.0') ? cell.slice(0, -2) : cell
}

/** At most 15 digits: a number that a double holds exactly. */
function isWhole(cell: string): boolean {
  return /^\d{1,15}$/.test(cell)
}

function notWhole(name: string, cell: string): string {
  return `${name} is "${cell.slice(0, 40)}", not a whole number`
}
