/** @file The join, slow and obvious: sees whole histories at once, sorts, and looks at every pair of one key. */

import { type Decoded, type Event, isMalformed, type Malformed } from '../../src/events/event.ts'
import type { DedupeOptions } from '../../src/events/options.ts'
import type { JoinOptions, JoinTask } from '../../src/join/options.ts'

export interface OracleOptions {
  readonly latenessMs: number
  readonly dedupe: DedupeOptions
  readonly join: JoinOptions
}

export interface OracleSample {
  readonly impression: Event
  readonly maturedAt: number
  readonly labels: readonly number[]
  readonly mask: readonly number[]
}

/** `outOfOrder`, `duplicates` and `deadLetters` input by input; the other lists in the order of event time. */
export interface OracleOutputs {
  readonly samples: OracleSample[]
  readonly joined: { readonly event: Event; readonly impression: Event }[]
  readonly outOfOrder: Event[]
  readonly afterWindow: Event[]
  readonly orphans: Event[]
  readonly duplicates: Event[]
  readonly deadLetters: Malformed[]
}

/** `histories`: for each input its records in offset order. No input is ever idle. */
export function batchJoin(
  histories: readonly (readonly Decoded[])[],
  { latenessMs, dedupe, join }: OracleOptions,
): OracleOutputs {
  const out: OracleOutputs = {
    samples: [],
    joined: [],
    outOfOrder: [],
    afterWindow: [],
    orphans: [],
    duplicates: [],
    deadLetters: [],
  }
  const onTime: Event[] = []
  for (const history of histories) {
    const remembered = new Map<string, number>() // iterates in order of arrival
    let newest = -Infinity
    for (const record of history) {
      if (isMalformed(record)) out.deadLetters.push(record)
      else if (remembered.has(record.id)) out.duplicates.push(record)
      else {
        newest = Math.max(newest, record.time)
        remembered.set(record.id, record.time)
        for (const [id, time] of remembered) {
          if (remembered.size <= dedupe.maxIds && time >= newest - dedupe.withinMs) break
          remembered.delete(id)
        }
        if (record.time < newest - latenessMs) out.outOfOrder.push(record)
        else onTime.push(record)
      }
    }
  }
  onTime.sort(byTotalOrder)
  joinSorted(onTime, join, out)
  return out
}

/** Every feedback event against every impression of its key, then every impression at every end of a window. */
function joinSorted(onTime: readonly Event[], join: JoinOptions, out: OracleOutputs): void {
  const longest = Math.max(...join.tasks.map((task) => task.windowMs))
  const impressions = new Map<string, Event[]>()
  for (const event of onTime) {
    if (event.anchor) impressions.set(event.key, [...(impressions.get(event.key) ?? []), event])
  }
  const feedbackOf = new Map<Event, Event[]>()
  for (const event of onTime) {
    if (event.anchor) continue
    const before = (impressions.get(event.key) ?? []).filter((one) => one.time <= event.time)
    const latest = before.at(-1)
    const inWindow = (task: JoinTask): boolean =>
      task.kind === event.kind && latest !== undefined && event.time <= latest.time + task.windowMs
    if (latest === undefined || event.time > latest.time + (longest + join.retentionMs)) {
      out.orphans.push(event)
    } else if (join.tasks.some(inWindow)) {
      out.joined.push({ event, impression: latest })
      feedbackOf.set(latest, [...(feedbackOf.get(latest) ?? []), event])
    } else out.afterWindow.push(event)
  }

  const ends = [...new Set(join.tasks.map((task) => task.windowMs))].sort((a, b) => a - b)
  const rows: (OracleSample & { readonly end: number })[] = []
  for (const end of join.emission === 'wait' ? [longest] : ends) {
    for (const impression of onTime.filter((event) => event.anchor)) {
      const feedback = feedbackOf.get(impression) ?? []
      const label = ({ kind, windowMs }: JoinTask): number =>
        feedback
          .filter((event) => event.kind === kind && event.time <= impression.time + windowMs)
          .reduce((largest, event) => Math.max(largest, event.value), 0)
      const mask = join.tasks.map((t) => (join.emission === 'wait' || t.windowMs === end ? 1 : 0))
      const labels = join.tasks.map((task, t) => (mask[t] === 1 ? Math.fround(label(task)) : 0))
      rows.push({ impression, maturedAt: impression.time + end, labels, mask, end })
    }
  }
  // Array sort is stable, so impressions of one time and end keep their order.
  rows.sort((a, b) => a.maturedAt - b.maturedAt || a.end - b.end)
  for (const { end: _, ...row } of rows) out.samples.push(row)
}

function byTotalOrder(a: Event, b: Event): number {
  return (
    a.time - b.time ||
    Number(b.anchor) - Number(a.anchor) ||
    alphabetically(a.kind, b.kind) ||
    alphabetically(a.id, b.id) ||
    a.source.input - b.source.input ||
    a.source.offset - b.source.offset
  )
}

function alphabetically(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
