/** @file The join, slow and obvious: sees whole histories at once, sorts, and looks at every pair of one key. */

import { type Decoded, type Event, isMalformed, type Malformed } from '../../src/events/event.ts'
import type { DedupeOptions } from '../../src/events/options.ts'
import type { RowRole } from '../../src/join/join-outputs.ts'
import type { JoinOptions, JoinTask } from '../../src/join/options.ts'

export interface OracleOptions {
  readonly latenessMs: number
  readonly dedupe: DedupeOptions
  readonly join: JoinOptions
}

export interface OracleSample {
  readonly role: RowRole
  readonly impression: Event
  readonly maturedAt: number
  readonly labels: readonly number[]
  readonly mask: readonly number[]
  readonly learned: readonly number[]
  readonly late: readonly number[]
}

/** `outOfOrder`, `duplicates` and `deadLetters` input by input; the other lists in the order of event time. */
export interface OracleOutputs {
  readonly samples: OracleSample[]
  readonly erased: Event[]
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
    erased: [],
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
  const placeOf = new Map(onTime.map((event, place) => [event, place]))
  const erasure = erasureIn(onTime, placeOf, join, longest)
  const feedbackOf = new Map<Event, Event[]>()
  for (const event of onTime) {
    if (event.anchor || event.kind === join.erasure?.kind) continue
    const before = (impressions.get(event.key) ?? []).filter((one) => one.time <= event.time)
    const latest = before.at(-1)
    const inWindow = (task: JoinTask): boolean =>
      task.kind === event.kind && latest !== undefined && event.time <= latest.time + task.windowMs
    const isForgotten = latest !== undefined && erasure.forgets(latest, event)
    const remembered = longest + join.retentionMs
    if (latest === undefined || isForgotten || event.time > latest.time + remembered) {
      out.orphans.push(event)
    } else if (join.tasks.some(inWindow)) {
      out.joined.push({ event, impression: latest })
      feedbackOf.set(latest, [...(feedbackOf.get(latest) ?? []), event])
    } else out.afterWindow.push(event)
  }

  const anchors = onTime.filter((event) => event.anchor)
  const rows = anchors.flatMap((impression) =>
    rowsOf(impression, feedbackOf.get(impression) ?? [], join).filter((row) =>
      erasure.leaves(impression, row),
    ),
  )
  const none = join.tasks.map(() => 0)
  for (const { tombstone, dropped } of erasure.all(anchors)) {
    out.erased.push(...dropped)
    const impression = { ...tombstone, fields: { impressions: dropped.map(({ id }) => id) } }
    const known = { labels: none, mask: none, learned: none, late: none }
    const at = { maturedAt: tombstone.time, place: WITH_AN_EVENT, cause: tombstone }
    rows.push({ role: 'erasure', impression, ...known, ...at })
  }
  const order = ({ cause }: OracleRow): number => placeOf.get(cause) ?? 0
  rows.sort((a, b) => a.maturedAt - b.maturedAt || a.place - b.place || order(a) - order(b))
  for (const { place: _, cause: __, ...row } of rows) out.samples.push(row)
}

/** What tombstones do: every impression of their user that is open then, or is known by its user, is forgotten. */
function erasureIn(
  onTime: readonly Event[],
  placeOf: ReadonlyMap<Event, number>,
  { erasure }: JoinOptions,
  longest: number,
) {
  const tombstones = onTime.filter(({ kind }) => kind === erasure?.kind)
  const place = (event: Event): number => placeOf.get(event) ?? 0
  const concerns = (tombstone: Event, impression: Event): boolean =>
    place(impression) < place(tombstone) &&
    String(impression.fields[erasure?.userField ?? '']) === tombstone.key
  const isOpen = (tombstone: Event, impression: Event): boolean =>
    tombstone.time <= impression.time + longest
  const closing = (impression: Event): Event | undefined =>
    tombstones.find((one) => concerns(one, impression) && isOpen(one, impression))
  return {
    forgets: (impression: Event, before: Event): boolean =>
      tombstones.some(
        (one) =>
          concerns(one, impression) &&
          place(one) < place(before) &&
          (isOpen(one, impression) || impression.key.includes('\u0000')),
      ),
    leaves: (impression: Event, row: OracleRow): boolean => {
      const tombstone = closing(impression)
      if (tombstone === undefined) return true
      if (row.place === WITH_AN_EVENT) return place(row.cause) < place(tombstone)
      return row.maturedAt < tombstone.time
    },
    all: (anchors: readonly Event[]) =>
      tombstones.map((tombstone) => ({
        tombstone,
        dropped: anchors.filter((impression) => closing(impression) === tombstone),
      })),
  }
}

/** A row and what it comes after at the same time: an event by its place in the stream, a window by its length. */
type OracleRow = OracleSample & { readonly place: number; readonly cause: Event }

/** Rows that leave with an event come before all that leave at an end of a window of the same time: windows end after it. */
const WITH_AN_EVENT = -1

/** Every row of one impression, by the definition of the emission. */
function rowsOf(impression: Event, feedback: readonly Event[], join: JoinOptions): OracleRow[] {
  const { tasks, emission, observeMs = 0 } = join
  const none = tasks.map(() => 0)
  const inTime = ({ kind, windowMs }: JoinTask, untilMs = windowMs): Event[] =>
    feedback.filter(
      (event) => event.kind === kind && event.time <= impression.time + Math.min(windowMs, untilMs),
    )
  const shared = { impression, mask: none, late: none, cause: impression }
  const ends = [...new Set(tasks.map((task) => task.windowMs))].sort((a, b) => a - b)
  if (emission !== 'fast') {
    const longest = ends.at(-1) ?? 0
    return (emission === 'wait' ? [longest] : ends).map((end) => {
      const mask = tasks.map((task) => (emission === 'wait' || task.windowMs === end ? 1 : 0))
      const labels = tasks.map((task, t) =>
        mask[t] === 1 ? Math.fround(Math.max(0, ...inTime(task).map((event) => event.value))) : 0,
      )
      const maturedAt = impression.time + end
      return { ...shared, role: 'final', maturedAt, labels, mask, learned: mask, place: end }
    })
  }
  const firstPositive = tasks.map((task) => inTime(task).find((event) => event.value > 0))
  // With observeMs 0 the row leaves with the impression itself, before any feedback of the same millisecond.
  const early = (event: Event | undefined): boolean =>
    event !== undefined && observeMs > 0 && event.time <= impression.time + observeMs
  const provisional: OracleRow = {
    ...shared,
    role: 'provisional',
    maturedAt: impression.time + observeMs,
    labels: firstPositive.map((event) => (early(event) ? 1 : 0)),
    learned: tasks.map(() => 1),
    place: observeMs > 0 ? observeMs : WITH_AN_EVENT,
  }
  const late = new Set(firstPositive.filter((event) => event !== undefined && !early(event)))
  const positives = [...late].flatMap((cause): OracleRow[] => {
    if (cause === undefined) return []
    const learned = firstPositive.map((event) => (event === cause ? 1 : 0))
    const maturedAt = cause.time
    const row = { ...shared, labels: learned, learned, maturedAt, place: WITH_AN_EVENT }
    return [{ ...row, role: 'late-positive', late: learned, cause }]
  })
  const matured = ends.map((end): OracleRow => {
    const mask = tasks.map((task) => (task.windowMs === end ? 1 : 0))
    const known = (of: (event: Event | undefined) => boolean): number[] =>
      firstPositive.map((event, t) => (mask[t] === 1 && of(event) ? 1 : 0))
    const labels = known((event) => event !== undefined)
    const isLate = known((event) => event !== undefined && !early(event))
    const maturedAt = impression.time + end
    return {
      ...shared,
      role: 'matured',
      maturedAt,
      labels,
      mask,
      learned: none,
      late: isLate,
      place: end,
    }
  })
  return [provisional, ...positives, ...matured]
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
