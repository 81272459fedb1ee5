/** @file A sample as a record of the samples topic (schemas/sample.avsc, docs/samples-topic.md), and back: what joiners write, trainers read. */

import type { Decoded, DecodeEvent, Event, MalformedReason } from '../events/event.ts'
import type { DecodeValue } from '../events/event-decoder.ts'
import type { RowRole } from '../join/join-outputs.ts'
import type { Sample } from './sample.ts'

/** The kind of a sample where it travels as an event: in the trainer's buffer and its accounting. */
export const SAMPLE_KIND = 'sample'

/** Where a sample stands in the output of one event partition. */
export interface SampleSource {
  readonly shard: number
  /** Place among all samples of the shard, from 0. */
  readonly sequence: number
  readonly epoch: number
}

type Fields = Readonly<Record<string, unknown>>

/** Start of the year 10000, as for events. */
const TIME_LIMIT = Date.UTC(10_000, 0, 1)

/** Digits of a window's length in ms: as text, shorter windows sort first. */
const WINDOW_DIGITS = 15

/** The value to encode; fields that the schema has no place for (bytes, records, lists of them) are left out. */
export function sampleToRecord(
  sample: Sample,
  tasks: readonly string[],
  source: SampleSource | null,
): Fields {
  const labels: Label[] = []
  for (const [task, name] of tasks.entries()) {
    if (sample.mask[task] !== 1 && sample.learned[task] !== 1) continue
    const late = sample.late[task] === 1
    labels.push({ task: name, value: sample.labels[task] ?? 0, late })
  }
  const fields: [string, unknown][] = []
  for (const [name, value] of Object.entries(sample.fields)) {
    const written = fieldValue(value)
    if (written !== undefined) fields.push([name, written])
  }
  return {
    id: sample.id,
    key: sample.key,
    event_time: sample.time,
    matured_at: sample.maturedAt,
    weight: sample.weight,
    labels,
    fields: Object.fromEntries(fields),
    source,
    role: sample.role.replace('-', '_'),
  }
}

/**
 * A decoder of the samples of a job with these tasks. A well-formed one comes as an event of kind `sample` at the time of its
 * maturity, with a row id that sorts as a joiner emits: what leaves with an event, then shorter windows first, then by impression.
 */
export function sampleDecoder(tasks: readonly string[], decodeValue: DecodeValue): DecodeEvent {
  return (raw, source): Decoded => {
    const malformed = (reason: MalformedReason, detail: string): Decoded => {
      return { kind: 'malformed', reason, detail, source, raw }
    }
    const decoded = decodeValue(raw)
    if (decoded.kind === 'malformed') return malformed('undecodable', decoded.reason)
    const fields = decoded.value
    const { id, key } = fields
    if (typeof id !== 'string' || id === '') return malformed('id', 'id is empty')
    if (typeof key !== 'string' || key === '') return malformed('key', 'key is empty')
    const eventTime = Number(fields.event_time)
    const maturedAt = Number(fields.matured_at)
    if (!(eventTime > 0 && maturedAt < TIME_LIMIT && maturedAt >= eventTime)) {
      return malformed('time', `event_time is ${eventTime}, matured_at is ${maturedAt}`)
    }
    const weight = Number(fields.weight)
    if (!(weight > 0 && Math.fround(weight) < Number.POSITIVE_INFINITY)) {
      return malformed('label', `weight is ${weight}, expected a number above 0`)
    }
    const fault = labelFault(fields.labels, tasks)
    if (fault !== undefined) return malformed('label', fault)
    const role = roleOf(fields.role)
    const windowMs = WITH_AN_EVENT.includes(role) ? 0 : Math.round(maturedAt - eventTime)
    const window = String(windowMs).padStart(WINDOW_DIGITS, '0')
    return {
      kind: SAMPLE_KIND,
      id: `${window}/${role === 'late-positive' ? 1 : 0}/${id}`,
      key,
      time: maturedAt,
      value: weight,
      anchor: true,
      fields,
      source,
      raw,
    }
  }
}

/** The sample that an event of `sampleDecoder` stands for. */
export function sampleFromEvent(event: Event, tasks: readonly string[]): Sample {
  const { id, event_time, fields } = event.fields
  const role = roleOf(event.fields.role)
  const labels = new Float32Array(tasks.length)
  const named = new Uint8Array(tasks.length)
  const late = new Uint8Array(tasks.length)
  for (const label of labelsOf(event.fields.labels)) {
    const at = tasks.indexOf(label.task)
    labels[at] = label.value
    named[at] = 1
    late[at] = label.late ? 1 : 0
  }
  const none = new Uint8Array(tasks.length)
  return {
    role,
    id: String(id),
    key: event.key,
    time: Number(event_time),
    maturedAt: event.time,
    fields: fields as Fields,
    labels,
    mask: role === 'final' || role === 'matured' ? named : none,
    learned: role === 'opened' || role === 'matured' ? none : named,
    late,
    weight: event.value,
  }
}

/** Rows that leave with an event, before those that leave at a window's end of the same time. */
const WITH_AN_EVENT: readonly RowRole[] = ['opened', 'provisional', 'late-positive', 'erasure']

/** The schema knows no other; Avro names have no hyphens. */
function roleOf(symbol: unknown): RowRole {
  return (symbol === 'late_positive' ? 'late-positive' : symbol) as RowRole
}

/** What a sample says of its place; undefined in samples of another system. */
export function sourceOf({ fields }: Event): SampleSource | undefined {
  const { source } = fields
  return source === null || source === undefined ? undefined : (source as SampleSource)
}

interface Label {
  readonly task: string
  readonly value: number
  readonly late: boolean
}

/** The schema has them so. */
function labelsOf(labels: unknown): readonly Label[] {
  return labels as readonly Label[]
}

function labelFault(labels: unknown, tasks: readonly string[]): string | undefined {
  const seen = new Set<string>()
  for (const { task, value } of labelsOf(labels)) {
    if (!tasks.includes(task)) return `there is no task ${task.slice(0, 100)} in this job`
    if (seen.has(task)) return `the label of task ${task} is there twice`
    if (!Number.isFinite(Math.fround(value))) return `the label of task ${task} is ${value}`
    seen.add(task)
  }
  return undefined
}

/** A field as the schema's map takes it; undefined when it has no place there. */
function fieldValue(value: unknown): unknown {
  if (value === null || value === undefined) return value
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
      return value
    case 'bigint':
      // Features hash the text of a number: the same id.
      return String(value)
    default:
      return Array.isArray(value) ? textsOf(value) : undefined
  }
}

function textsOf(values: readonly unknown[]): string[] | undefined {
  const texts: string[] = []
  for (const value of values) {
    if (value === null || value === undefined) texts.push('')
    else if (typeof value === 'object') return undefined
    else texts.push(String(value))
  }
  return texts
}
