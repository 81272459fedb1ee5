/** @file The `batch` section of a job: when a mini-batch is full. */

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
