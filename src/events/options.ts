/** @file The `events` section of a job: the kinds of events, how late they may come, what is remembered of them. */

import { z } from 'zod'
import type { EventKind } from './event-kind.ts'

const fieldName = z.string().min(1)

const labelOptions = z
  .strictObject({
    field: fieldName.optional().describe('number or boolean whose value is the label'),
    at_least: z.number().optional().describe('label 1 from this value of the field on, else 0'),
  })
  .refine((label) => label.at_least === undefined || label.field !== undefined, {
    message: 'at_least needs the field that it is compared with',
  })

const kindOptions = z
  .strictObject({
    kind: z
      .string()
      .regex(/^[a-z][a-z0-9_]*$/, 'lower-case letters, digits and _')
      .refine((kind) => kind !== 'malformed', { message: "'malformed' names what is no event" })
      .describe('the name of this kind of event in the job, its metrics and reports'),
    topic: z.string().min(1).describe('topic that carries this kind and no other'),
    schema: z.string().min(1).describe('Avro schema, relative to the job file'),
    writers: z
      .array(
        z.strictObject({
          schema: z.string().min(1).describe('Avro schema, relative to the job file'),
          id: z.int().nonnegative().optional().describe('registry id, with confluent framing'),
        }),
      )
      .default([])
      .describe('schemas of producers that are older or newer than this one'),
    id: fieldName.default('event_id').describe("field with the event's own id"),
    time: fieldName.default('time').describe('field with the event time'),
    time_unit: z.enum(['ms', 's', 'iso']).default('ms').describe('how the time field is written'),
    key: z
      .union([fieldName, z.tuple([fieldName, fieldName])])
      .default('impression_id')
      .describe('field with the impression id, or the two fields with user and item'),
    anchor: z
      .boolean()
      .default(false)
      .describe(
        'true for impressions: each opens a sample; without any, the first action on a pair does',
      ),
    erases: fieldName
      .optional()
      .describe(
        'a tombstone: forgets the user in its key field, whom impressions have in the field named here',
      ),
    label: labelOptions.prefault({}).describe('empty: the presence of the event is the label'),
  })
  .transform(
    ({ time_unit, label, ...kind }): EventKind => ({
      ...kind,
      timeUnit: time_unit,
      label: { field: label.field, atLeast: label.at_least },
    }),
  )

const dedupeOptions = z
  .strictObject({
    within_ms: z
      .int()
      .positive()
      .default(3_600_000)
      .describe('event time, per partition, for which an id is remembered'),
    max_ids: z
      .int()
      .positive()
      .max(50_000_000)
      .default(1_000_000)
      .describe('ids remembered per partition, 40 bytes each; the oldest go first'),
  })
  .transform((dedupe) => ({ withinMs: dedupe.within_ms, maxIds: dedupe.max_ids }))

/** What a job may say about its events; gives camel-case domain types. */
export const eventsOptions = z
  .strictObject({
    kinds: z.array(kindOptions).min(1).superRefine(checkKinds),
    lateness_ms: z
      .int()
      .nonnegative()
      .default(60_000)
      .describe('how far an event may lie behind the newest of its partition'),
    idle_ms: z
      .int()
      .positive()
      .default(30_000)
      .describe('silence after which a partition stops holding the watermark back'),
    dedupe: dedupeOptions.prefault({}),
  })
  .refine((events) => events.dedupe.withinMs >= events.lateness_ms, {
    path: ['dedupe', 'within_ms'],
    message: 'at least lateness_ms, or a duplicate that is not late can pass',
  })
  .transform(({ lateness_ms, idle_ms, ...rest }) => ({
    ...rest,
    latenessMs: lateness_ms,
    idleMs: idle_ms,
  }))

export type EventsOptions = z.output<typeof eventsOptions>
export type DedupeOptions = EventsOptions['dedupe']

type Complain = (path: (string | number)[], message: string) => void

/** Faults that only show when the kinds are seen together. */
function checkKinds(kinds: readonly EventKind[], context: z.RefinementCtx): void {
  const complain: Complain = (path, message) => context.addIssue({ code: 'custom', path, message })
  const topics = new Set<string>()
  const names = new Set<string>()
  const [tombstones, others] = [kinds.filter(isTombstone), kinds.filter((one) => !isTombstone(one))]
  const pairs = others.some(({ key }) => typeof key !== 'string')
  for (const [index, kind] of kinds.entries()) {
    if (names.has(kind.kind)) complain([index, 'kind'], `a second kind named ${kind.kind}`)
    if (topics.has(kind.topic))
      complain([index, 'topic'], `${kind.topic} already carries another kind`)
    if (isTombstone(kind)) checkTombstone(kind, index, complain)
    else if (pairs !== (typeof kind.key !== 'string')) {
      complain([index, 'key'], 'every kind is keyed by an impression id, or every kind by a pair')
    }
    if (kind.anchor && kind.label.field !== undefined) {
      complain([index, 'label'], 'an anchor opens samples and labels none')
    }
    names.add(kind.kind)
    topics.add(kind.topic)
  }
  if (tombstones.length > 1) complain([], 'only one kind may be of tombstones')
  checkOpening(others, pairs, complain)
}

/** Whether events of the kind forget a user. */
function isTombstone({ erases }: EventKind): boolean {
  return erases !== undefined
}

function checkTombstone(
  { key, anchor, label }: EventKind,
  index: number,
  complain: Complain,
): void {
  if (typeof key !== 'string') complain([index, 'key'], 'a tombstone has one key field, the user')
  if (anchor || label.field !== undefined) {
    complain([index], 'a tombstone neither opens nor labels samples')
  }
}

/** Samples start at impressions, or at the first action on a pair. */
function checkOpening(kinds: readonly EventKind[], pairs: boolean, complain: Complain): void {
  if (hasImpressions(kinds)) {
    if (kinds.length < 2) complain([], 'impressions need a kind of feedback beside them')
  } else if (!pairs || new Set(kinds.map(({ key }) => String(key))).size > 1) {
    const without = 'or, without impressions, every kind has the same two fields as its key'
    complain([], `one kind must be the anchor: true, ${without}`)
  }
}

/** Whether some kind opens samples; else the first action on a pair of user and item does. */
export function hasImpressions(kinds: readonly Pick<EventKind, 'anchor'>[]): boolean {
  return kinds.some(({ anchor }) => anchor)
}
