/** @file The settings of the simulated app: its size, its pace, its drift and the share of each disturbance. */

import { z } from 'zod'

const share = z.number().min(0).max(0.5)

/** Delay of an action after its impression: log-normal up to `within_ms`; a stated share comes after that. */
function delay(medianMs: number, sigma: number, withinMs: number) {
  return z
    .strictObject({
      median_ms: z.number().positive().default(medianMs).describe('median of the log-normal'),
      sigma: z
        .number()
        .nonnegative()
        .default(sigma)
        .describe('standard deviation of its logarithm'),
      within_ms: z.number().positive().default(withinMs).describe('where the log-normal is cut'),
      beyond_share: share
        .default(0.002)
        .describe('share of the actions that come after within_ms, up to three times that'),
    })
    .prefault({})
}

/** What may be set of the simulated app; every field has a default, together they are the run of `millrace start`. */
export const worldOptions = z.strictObject({
  seed: z.int().min(0).max(0xffffffff).default(1).describe('the whole world follows from it'),
  impressions: z.int().positive().optional().describe('how many to make; absent: it never ends'),
  users: z.int().positive().default(2000),
  items: z.int().min(12).default(400).describe('on show at any time; new ones replace old ones'),
  authors: z.int().positive().default(100),
  slate: z
    .int()
    .min(1)
    .max(12)
    .default(6)
    .describe('impressions of one visit, at positions 0, 1, ...'),
  start_ms: z
    .int()
    .nonnegative()
    .default(1_772_431_200_000)
    .describe('event time of the first visit, Unix ms; the default is 2026-03-02 06:00 UTC'),
  impressions_per_second: z.number().positive().default(10).describe('per second of event time'),
  item_lifetime_hours: z
    .number()
    .positive()
    .default(5)
    .describe('mean time that an item is on show'),
  drift_hours: z
    .number()
    .nonnegative()
    .default(14)
    .describe('mean period of the wandering of tastes, event time; 0: tastes stand still'),
  change: z
    .strictObject({
      kind: z
        .enum(['none', 'abrupt', 'gradual', 'recurring'])
        .default('none')
        .describe('how the tastes of all age bands give way to other ones'),
      at_hours: z.number().nonnegative().default(2).describe('when it begins, event time'),
      over_hours: z
        .number()
        .positive()
        .default(1)
        .describe('gradual: how long it takes; recurring: how long each of the two lasts'),
    })
    .prefault({}),
  spam: z
    .strictObject({
      minutes: z.number().nonnegative().default(0).describe('how long a bot acts; 0: never'),
      at_hours: z.number().nonnegative().default(2).describe('when it begins, event time'),
      per_visit: z.int().positive().default(3).describe('its impressions for each visit of others'),
    })
    .prefault({}),
  skew: z
    .strictObject({
      share: share.default(0).describe('share of the visits whose events a wrong clock has dated'),
      ms: z.int().default(60_000).describe('how far that clock is ahead; below 0: behind'),
    })
    .prefault({}),
  delays: z
    .strictObject({
      click: delay(4_000, 0.7, 30_000),
      like: delay(15_000, 0.8, 120_000),
      share: delay(30_000, 0.9, 300_000),
    })
    .prefault({}),
  lateness_ms: z
    .number()
    .positive()
    .default(5_000)
    .describe('what the job allows: ordinary deliveries stay below it, late ones go far beyond'),
  disturbances: z
    .strictObject({
      duplicate: share.default(0.01).describe('share of the events delivered twice'),
      late: share.default(0.001).describe('share delivered beyond the allowed lateness'),
      malformed: share.default(0.0005).describe('share whose bytes or id or time are wrong'),
      orphan: share.default(0.0005).describe('clicks on no impression, per impression'),
    })
    .prefault({}),
})

/** Settings with every default filled in. */
export type WorldOptions = z.output<typeof worldOptions>
/** Settings as a person writes them. */
export type WorldInput = z.input<typeof worldOptions>
