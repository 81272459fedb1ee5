/** @file The `batch`, `samples` and `negatives` sections of a job: mini-batches, the topic between processes, which negatives stay. */

import { z } from 'zod'

/** A mini-batch is full at `count` samples or at the end of its slice of event time, whichever comes first. */
export interface BatchOptions {
  readonly count?: number | undefined
  /** Length of the slices of event time, aligned to 1970; a batch never spans two. */
  readonly everyMs?: number | undefined
}

/** What a job may say about mini-batches; gives camel-case domain types. */
export const batchOptions = z
  .strictObject({
    count: z.int().positive().optional().describe('samples per mini-batch'),
    every_ms: z.int().positive().optional().describe('event time that a mini-batch may span'),
  })
  .refine((batch) => batch.count !== undefined || batch.every_ms !== undefined, {
    message: 'set count, every_ms or both',
  })
  .transform(({ count, every_ms }): BatchOptions => ({ count, everyMs: every_ms }))

/** The topic between joiners and trainers, where these are processes of their own. */
export const samplesOptions = z.strictObject({
  topic: z
    .string()
    .min(1)
    .default('samples')
    .describe('topic that joiners write and trainers read'),
  gaps: z
    .enum(['stop', 'accept'])
    .default('stop')
    .describe(
      'what a trainer does where numbered samples are missing: stop, or go on and count them',
    ),
})

export type SamplesOptions = z.output<typeof samplesOptions>

const rate = z.number().positive().max(1)

/** Which items stand for what was passed over. */
const drawnOptions = z
  .strictObject({
    per_action: z
      .int()
      .min(1)
      .max(100)
      .default(4)
      .describe('negatives drawn for the first action on each pair of user and item'),
    of_last: z
      .int()
      .min(2)
      .max(10_000_000)
      .default(16_384)
      .describe('first actions whose items are drawn from, each as often as it is among them'),
    item_fields: z
      .array(z.string().min(1))
      .default([])
      .describe('fields of an event that describe its item: a drawn negative has those of its own'),
  })
  .describe('needed in a job without impressions, and only there')

/** Which negatives are learned from. */
export const negativesOptions = z.strictObject({
  drawn: drawnOptions.optional(),
  keep: z
    .union([rate, z.record(z.string(), rate)])
    .default(1)
    .describe(
      'share of the negatives that is learned from, above 0 up to 1; one number or one per task. Scores stay calibrated',
    ),
})

export type NegativesOptions = z.output<typeof negativesOptions>

/** The keep rate of every task; a task that is not named keeps all. */
export function keepRates({ keep }: NegativesOptions, tasks: readonly string[]): number[] {
  return tasks.map((task) => (typeof keep === 'number' ? keep : (keep[task] ?? 1)))
}
