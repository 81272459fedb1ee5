/** @file The `observe.drift` section of a job: how much must move before it is called drift. */

import { z } from 'zod'

/** What a job may say about drift; every setting has a default. */
export const driftOptions = z
  .strictObject({
    block: z
      .int()
      .min(8)
      .max(100_000)
      .default(64)
      .describe('Labels of a task whose mean is one value of the detectors.'),
    adwin_delta: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.002)
      .describe('ADWIN: bound on the chance that it cuts its window for nothing.'),
    page_hinkley_threshold: z
      .number()
      .positive()
      .default(24)
      .describe('Page-Hinkley: how far the sum may rise, in standard deviations of such a mean.'),
    feature_rows: z
      .int()
      .min(100)
      .default(10_000)
      .describe('Rows whose values are compared with those of the past, feature by feature.'),
  })
  .describe('When losses, label rates and features count as moved.')

export type DriftOptions = z.infer<typeof driftOptions>
