/** @file The `observe` section of a job: what is served over HTTP, what is logged, how quality is windowed. */

import { z } from 'zod'
import { driftOptions } from './drift-options.ts'

/** Schema of the section; every setting has a default. */
export const observeOptions = z.strictObject({
  http: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Serve the status page, /metrics and probes.'),
      host: z
        .string()
        .min(1)
        .default('127.0.0.1')
        .describe('Address to bind; loopback by default.'),
      port: z.int().min(0).max(65_535).default(9464).describe('Port; 0 takes a free one.'),
    })
    .prefault({})
    .describe('Where the page and the metrics are served.'),
  log: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Lowest level that is logged.'),
  window: z
    .int()
    .min(1)
    .default(20_000)
    .describe('Labelled samples per task in the live quality figures.'),
  delayed_share: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe(
      'Share of the impressions that are also scored as they open, to judge that prediction when the labels are final.',
    ),
  drift: driftOptions.prefault({}),
  examine_every_steps: z
    .int()
    .min(0)
    .default(64)
    .describe(
      'Training steps between two looks inside the model (gradient cosines, gates, dead units); 0 for none.',
    ),
  predictions: z
    .int()
    .min(1)
    .default(4_194_304)
    .describe('Predictions kept for the exact figures of the final report.'),
})

/** The section after validation. */
export type ObserveOptions = z.infer<typeof observeOptions>
