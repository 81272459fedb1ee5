/** @file The `train.tables` section of a job: which keys get a row, and when a row is given up. */

import { z } from 'zod'

/** What a job may say about the size of its tables; by default every key that was learned keeps its row. */
export const dietOptions = z
  .strictObject({
    admit_after: z
      .int()
      .min(1)
      .max(60_000)
      .default(1)
      .describe('mini-batches that a key must be in before it gets a row; counted in a sketch'),
    admit_share: z
      .number()
      .gt(0)
      .max(1)
      .default(1)
      .describe('chance of a row each time a key without one is learned from, by a seeded hash'),
    expire_hours: z
      .number()
      .positive()
      .optional()
      .describe('event time after which a row that was not learned from is given up'),
    most_mb: z
      .number()
      .positive()
      .optional()
      .describe('bound on the memory of the table; the rows that matter least make room'),
    score_half_life_hours: z
      .number()
      .positive()
      .default(168)
      .describe(
        'a row matters by how often it was learned from, each time counting half after this',
      ),
  })
  .describe('size of the embedding table')

export type DietOptions = z.output<typeof dietOptions>

/** What a job may say about the size of each table of feature state; there every key that is learned from is admitted. */
export const stateDietOptions = dietOptions
  .pick({ expire_hours: true, most_mb: true, score_half_life_hours: true })
  .transform((given): DietOptions => ({ ...given, admit_after: 1, admit_share: 1 }))
  .describe('size of each table of features that are learned from the stream')
