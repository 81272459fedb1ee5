/** @file What `millrace doctor JOB` finds on the bus of a job: topics, schemas, clocks, duplicates, matching, unseen ids. */

import type { LogRecord, TopicLog } from '../src/broker/topic-log.ts'
import type { Event } from '../src/events/event.ts'
import { isMalformed } from '../src/events/event.ts'
import { erasureOf, type Job, startsAtImpressions } from '../src/settings/job.ts'
import type { Clock } from '../src/time.ts'
import { type EventInput, eventInputs } from './event-inputs.ts'

/** `good`, `warn` worth a look, `bad` must be mended before learning makes sense. */
export interface Finding {
  readonly subject: string
  readonly state: 'good' | 'warn' | 'bad'
  readonly text: string
}

/** Records of each partition that are looked at, the newest ones. */
const LOOK_RECORDS = 20_000
const AHEAD_MS = 60_000
const MOST_MALFORMED = 0.01
const MOST_DUPLICATES = 0.05
const LEAST_HITS = 0.9
const MOST_UNSEEN = 0.5

interface Looked {
  readonly input: EventInput
  readonly records: number
  readonly events: readonly Event[]
  readonly malformed: ReadonlyMap<string, number>
}

/** Looks at the end of every event topic; reads only. */
export async function examineBus(job: Job, log: TopicLog, clock: Clock): Promise<Finding[]> {
  const existing = await log.topics()
  const missing = job.events.kinds.filter(({ topic }) => !existing.has(topic))
  if (missing.length > 0) {
    const names = missing.map(({ topic }) => topic).join(', ')
    return [{ subject: 'bus', state: 'bad', text: `no topic ${names}: nobody has produced yet` }]
  }
  const inputs = await eventInputs(job, log)
  const looked: Looked[] = []
  for (const input of inputs) looked.push(await lookAt(log, input))
  const topics = `${existing.size} topics, ${inputs.length} event partitions`
  return [
    { subject: 'bus', state: 'good', text: `answers; ${topics}` },
    ...job.events.kinds.flatMap(({ kind }) => {
      return schemaFindings(
        kind,
        looked.filter(({ input }) => input.kind.kind === kind),
      )
    }),
    ...clockFindings(looked, clock.now(), job.events.latenessMs),
    ...duplicateFindings(looked),
    ...matchFindings(looked),
    ...unseenFindings(job, looked),
  ]
}

async function lookAt(log: TopicLog, input: EventInput): Promise<Looked> {
  const { topic, partition } = input
  const bounds = (await log.bounds(topic)).find((one) => one.partition === partition)
  const records: LogRecord[] = []
  const { earliest = 0, latest = 0 } = bounds ?? {}
  let offset = Math.max(earliest, latest - LOOK_RECORDS)
  while (offset < latest) {
    const [batch] = await log.read([{ topic, partition, offset }], 2_000)
    if (batch === undefined) break
    records.push(...batch.records)
    offset = batch.nextOffset
  }
  const events: Event[] = []
  const malformed = new Map<string, number>()
  for (const { value, offset: at } of records) {
    const decoded = input.decode(value, { input: 0, offset: at })
    if (!isMalformed(decoded)) events.push(decoded)
    else malformed.set(decoded.reason, (malformed.get(decoded.reason) ?? 0) + 1)
  }
  return { input, records: records.length, events, malformed }
}

function schemaFindings(kind: string, looked: readonly Looked[]): Finding[] {
  const records = sum(looked.map((one) => one.records))
  const subject = `schema of ${kind}`
  if (records === 0) return [{ subject, state: 'warn', text: 'no record to look at' }]
  const malformed = sum(looked.flatMap((one) => [...one.malformed.values()]))
  const reasons = [...new Set(looked.flatMap((one) => [...one.malformed.keys()]))].join(', ')
  const share = malformed / records
  const text = `${records} records, ${percent(share)} cannot be read${reasons === '' ? '' : ` (${reasons})`}`
  return [{ subject, state: share > 0.5 ? 'bad' : share > MOST_MALFORMED ? 'warn' : 'good', text }]
}

function clockFindings(looked: readonly Looked[], now: number, latenessMs: number): Finding[] {
  let newest = Number.NEGATIVE_INFINITY
  let late = 0
  let events = 0
  for (const one of looked) {
    let seen = Number.NEGATIVE_INFINITY
    for (const { time } of one.events) {
      if (time < seen - latenessMs) late += 1
      seen = Math.max(seen, time)
      events += 1
    }
    newest = Math.max(newest, seen)
  }
  if (events === 0) return []
  const ahead = newest - now
  const clock: Finding =
    ahead > AHEAD_MS
      ? {
          subject: 'clocks',
          state: 'bad',
          text: `the newest event is ${Math.round(ahead / 1000)} s in the future: a producer's clock is fast, or its time has another unit`,
        }
      : {
          subject: 'clocks',
          state: 'good',
          text: `the newest event is of ${new Date(newest).toISOString()}`,
        }
  const share = late / events
  const order: Finding = {
    subject: 'order',
    state: share > 0.01 ? 'warn' : 'good',
    text: `${percent(share)} of the events come later than lateness_ms: ${latenessMs}`,
  }
  return [clock, order]
}

function duplicateFindings(looked: readonly Looked[]): Finding[] {
  const counted = looked.map(({ events }) => events.length)
  const distinct = looked.map(({ events }) => new Set(events.map(({ id }) => id)).size)
  const events = sum(counted)
  if (events === 0) return []
  const share = 1 - sum(distinct) / events
  const state = share > MOST_DUPLICATES ? 'warn' : 'good'
  return [{ subject: 'duplicates', state, text: `${percent(share)} of the ids come again` }]
}

/** Feedback at the start of what was looked at may belong to an impression before it: only what is later counts. */
function matchFindings(looked: readonly Looked[]): Finding[] {
  const anchors = looked.flatMap(({ events }) => events.filter(({ anchor }) => anchor))
  const keys = new Set(anchors.map(({ key }) => key))
  const first = anchors.reduce((least, { time }) => Math.min(least, time), Number.POSITIVE_INFINITY)
  const kinds = [
    ...new Set(
      looked
        .filter(({ input }) => !input.kind.anchor && input.kind.erases === undefined)
        .map(({ input }) => input.kind.kind),
    ),
  ]
  return kinds.flatMap((kind): Finding[] => {
    const events = looked
      .filter(({ input }) => input.kind.kind === kind)
      .flatMap((one) => one.events.filter(({ time }) => time >= first))
    if (events.length === 0) return []
    const share = events.filter(({ key }) => keys.has(key)).length / events.length
    const state = share < 0.5 ? 'bad' : share < LEAST_HITS ? 'warn' : 'good'
    return [
      {
        subject: `match of ${kind}`,
        state,
        text: `${percent(share)} find an impression with their key`,
      },
    ]
  })
}

/** How many of the later half's values the earlier half did not have: new to a model that learned from it. */
function unseenFindings(job: Job, looked: readonly Looked[]): Finding[] {
  const impressions = startsAtImpressions(job)
  const tombstone = erasureOf(job)?.kind
  const anchors = looked
    .flatMap(({ events }) =>
      events.filter(({ anchor, kind }) => anchor || (!impressions && kind !== tombstone)),
    )
    .sort((a, b) => a.time - b.time)
  const half = Math.floor(anchors.length / 2)
  if (half === 0) return []
  return job.features.flatMap((feature): Finding[] => {
    if (feature.kind !== 'id') return []
    const field = feature.from ?? feature.name
    const textOf = ({ fields }: Event): string => String(fields[field])
    const known = new Set(anchors.slice(0, half).map(textOf))
    const later = anchors.slice(half)
    const share = later.filter((event) => !known.has(textOf(event))).length / later.length
    const state = share > MOST_UNSEEN ? 'warn' : 'good'
    const text = `${percent(share)} of the later rows have a value that the earlier ones had not`
    return [{ subject: `ids of ${feature.name}`, state, text }]
  })
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
