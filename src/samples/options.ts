/** @file The `batch` and `samples` sections of a job: when a mini-batch is full; the topic between joiners and trainers. */

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
