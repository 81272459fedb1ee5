/** @file How a job declares features that are learned from the stream itself: rates of each task, when a key was last seen, and what it acted on. */

import { z } from 'zod'
import { featureName } from './feature-name.ts'

const HOUR_MS = 3_600_000

const ofFeatures = z
  .array(z.string().min(1))
  .min(1)
  .max(8)
  .describe('id-like features above this one; several are combined to one key')

const mostKeys = z
  .int()
  .min(1)
  .max(1024)
  .default(32)
  .describe('keys per row beyond this many are left out, where a member is a bag')

const rateCap = z
  .strictObject({
    by: z.string().min(1).describe('id feature above this one, such as the user'),
    most: z.int().min(1).max(60_000).describe('labels per task that one of its values may add'),
    per_hours: z
      .number()
      .positive()
      .max(8_760)
      .default(24)
      .describe('length of the window, aligned to 1970'),
  })
  .describe('bounds what one value, such as a user, can add to one key in a window of event time')

/** Per key and task: how far its rate lies from the stream's. Dense inputs. */
const rateFeature = z.strictObject({
  name: featureName,
  kind: z.literal('rate'),
  of: ofFeatures,
  tasks: z.array(z.string().min(1)).min(1).describe('tasks whose matured labels are counted'),
  half_life_hours: z
    .array(z.number().positive().max(87_600))
    .min(1)
    .max(8)
    .default([168])
    .describe('event time after which a label counts half; one set of columns for each'),
  smoothing: z
    .number()
    .positive()
    .default(5)
    .describe("labels at the stream's rate that every key starts with"),
  counts: z
    .boolean()
    .default(true)
    .describe('also a column log(1 + labels) per half-life, of the first task'),
  limit: mostKeys,
  cap: rateCap.optional(),
})

/** How recently a key was seen: 1 just now, 1/2 after `scale_minutes` (e - 1) minutes, 0 never. One dense input. */
const lastSeenFeature = z.strictObject({
  name: featureName,
  kind: z.literal('last_seen'),
  of: ofFeatures,
  scale_minutes: z
    .number()
    .positive()
    .default(10)
    .describe('1 / (1 + log(1 + t / scale)) is the input'),
  limit: mostKeys,
})

/** The last items that a key acted on, pooled over their embeddings: a slot of its own. */
const historyFeature = z.strictObject({
  name: featureName,
  kind: z.literal('history'),
  of: ofFeatures,
  items: z
    .string()
    .min(1)
    .describe(
      'feature of kind id above this one, whose values are remembered and whose vectors are pooled',
    ),
  tasks: z
    .array(z.string().min(1))
    .min(1)
    .describe('an item is remembered when a matured label of one of these is positive'),
  last: z.int().min(1).max(256).default(20).describe('items remembered for each key, each once'),
  pooling: z
    .enum(['mean', 'attention'])
    .default('attention')
    .describe('mean of their vectors, or weighed by how they go with the item of the row'),
})

/** The kinds of features with a state of their own. */
export const stateFeatures = [rateFeature, lastSeenFeature, historyFeature] as const

export type RateOptions = z.output<typeof rateFeature>
export type LastSeenOptions = z.output<typeof lastSeenFeature>
export type HistoryOptions = z.output<typeof historyFeature>
export type StateOptions = RateOptions | LastSeenOptions | HistoryOptions

/** Whether a feature is one of those. */
export function hasState(feature: { readonly kind: string }): feature is StateOptions {
  return ['rate', 'last_seen', 'history'].includes(feature.kind)
}

/** Names of a state feature's dense columns, in their order. */
export function stateColumnNames(feature: StateOptions): string[] {
  if (feature.kind === 'last_seen') return [feature.name]
  if (feature.kind === 'history') return []
  return feature.half_life_hours.flatMap((hours) => [
    ...feature.tasks.map((task) => `${feature.name}.${task}.${hours}h`),
    ...(feature.counts ? [`${feature.name}.count.${hours}h`] : []),
  ])
}

/** A half-life or a window in milliseconds. */
export function hoursToMs(hours: number): number {
  return hours * HOUR_MS
}
