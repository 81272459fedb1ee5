/** @file KuaiRand-Pure as records that arrive in the log's own late order, with drawn action times: read without any code of src. */

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Decoded } from '../../src/events/event.ts'
import { eventDecoder } from '../../src/events/event-decoder.ts'
import type { KeyFields } from '../../src/events/event-kind.ts'
import type { JoinInput } from '../../src/join/event-joiner.ts'
import { mix32 } from '../../src/random.ts'
import { decodeJson, jsonBytes, kindOf } from './drawn-history.ts'

export interface KuairandRow {
  readonly user: string
  readonly item: string
  readonly time: number
  /** Date and hour bucket of the log, which sorts as text: the order in which rows became known. */
  readonly bucket: string
  readonly clicked: boolean
  readonly liked: boolean
  readonly shared: boolean
  readonly playMs: number
}

/** The rows in the file's order. */
export function readKuairandLog(path: string): KuairandRow[] {
  const [header = '', ...lines] = gunzipSync(readFileSync(path))
    .toString('latin1')
    .trim()
    .split('\n')
  const names = header.trim().split(',')
  const columns = ['user_id', 'video_id', 'date', 'hourmin', 'time_ms'].map((n) => names.indexOf(n))
  const outcomes = ['is_click', 'is_like', 'is_forward', 'play_time_ms'].map((n) =>
    names.indexOf(n),
  )
  return lines.map((line) => {
    const cells = line.trim().split(',')
    const [user = '', item = '', date = '', hourmin = '', time = ''] = columns.map((c) => cells[c])
    const [click, like, share, play] = outcomes.map((c) => Number(cells[c]))
    const bucket = `${date}${hourmin.padStart(4, '0')}`
    return {
      ...{ user, item, bucket, time: Number(time), playMs: play ?? 0 },
      ...{ clicked: click === 1, liked: like === 1, shared: share === 1 },
    }
  })
}

/** Quantiles of real delays from a view to the action in seconds, from the data's README. */
const LIKE_TAIL = [0, 8, 24, 81, 285, 1_181, 4_252, 72_118] as const
const SHARE_TAIL = [0, 7, 20, 73, 422, 4_493, 25_420, 502_810] as const
const LEVELS = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99] as const

function quantileMs(seconds: readonly number[], level: number): number {
  const above = LEVELS.findIndex((known) => known > level)
  const at = above < 0 ? LEVELS.length - 1 : above
  const [low = 0, high = 1] = [LEVELS[at - 1], LEVELS[at]]
  const [from = 0, to = 0] = [seconds[at - 1], seconds[at]]
  return 1000 * (from + (to - from) * Math.min(1, (level - low) / (high - low)))
}

/** Uniform in [0, 1), decided by the row's key and what is drawn. */
function drawn({ user, item, time }: KuairandRow, what: number): number {
  const seed = mix32(Number(user)) ^ mix32(Number(item) + 0x5bd1) ^ mix32(time / 1000) ^ mix32(time)
  return mix32(seed + what) / 2 ** 32
}

/** Click after 0.2 to 3 s; like after 0.2 to 0.95 of the play time, one in ten from the tail; share from the tail. */
function actions(row: KuairandRow): { kind: string; time: number }[] {
  const likeShare = 0.2 + 0.75 * drawn(row, 3)
  const likeMs = drawn(row, 2) < 0.1 ? quantileMs(LIKE_TAIL, drawn(row, 3)) : likeShare * row.playMs
  const delays = [
    { kind: 'click', happened: row.clicked, ms: 200 + 2800 * drawn(row, 1) },
    { kind: 'like', happened: row.liked, ms: likeMs },
    { kind: 'share', happened: row.shared, ms: quantileMs(SHARE_TAIL, drawn(row, 4)) },
  ]
  return delays
    .filter((action) => action.happened)
    .map(({ kind, ms }) => ({ kind, time: row.time + Math.round(ms) }))
}

const PARTITIONS = 3

/** The inputs, their histories in offset order, and one interleaving: the order in which the log learned of the events. */
export interface KuairandStream {
  readonly inputs: readonly JoinInput[]
  readonly partitions: readonly (readonly Decoded[])[]
  readonly arrivals: readonly Decoded[]
}

export function kuairandStream(rows: readonly KuairandRow[], key: KeyFields): KuairandStream {
  const kinds = ['impression', 'click', 'like', 'share']
  const inputs = kinds.flatMap((name) => {
    const kind = kindOf(name, key)
    return Array.from({ length: PARTITIONS }, () => ({
      kind,
      decode: eventDecoder(kind, decodeJson),
    }))
  })
  const known = rows.flatMap((row, line) => {
    const impression = `${row.user}/${row.item}/${row.time}`
    const of = { user: row.user, item: row.item, impression }
    const pair = mix32(Number(row.user)) ^ mix32(Number(row.item))
    const partition = (typeof key === 'string' ? mix32(pair ^ row.time) : pair >>> 0) % PARTITIONS
    // An action becomes known as long after its bucket as it lies after its impression.
    const record = (kind: string, time: number) => ({
      ...{ line, bucket: Number(row.bucket), lagMs: time - row.time },
      input: kinds.indexOf(kind) * PARTITIONS + partition,
      fields: { ...of, id: kind === 'impression' ? impression : `${kind} ${impression}`, time },
    })
    return [
      record('impression', row.time),
      ...actions(row).map(({ kind, time }) => record(kind, time)),
    ]
  })
  known.sort((a, b) => a.bucket - b.bucket || a.lagMs - b.lagMs || a.line - b.line)
  const partitions: Decoded[][] = inputs.map(() => [])
  const arrivals = known.flatMap(({ input, fields }) => {
    const history = partitions[input]
    const decoded = inputs[input]?.decode(jsonBytes(fields), {
      input,
      offset: history?.length ?? 0,
    })
    if (decoded === undefined || history === undefined) return []
    history.push(decoded)
    return [decoded]
  })
  return { inputs, partitions, arrivals }
}
