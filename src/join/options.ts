/** @file The `join` section of a job: the tasks, how long each waits for its label, and when samples leave. */

import { z } from 'zod'

/** One label to learn: feedback of `kind` no later than `windowMs` after the impression. */
export interface JoinTask {
  readonly name: string
  /** Kind of the feedback event; several tasks may read the same kind through different windows. */
  readonly kind: string
  readonly windowMs: number
}

/** When samples leave the join: one when the longest window has ended, a row at each window's end, or at once. */
export type Emission = 'wait' | 'staged' | 'fast'

/** What is no longer taken for chance in the flow of labels. */
export interface GuardOptions {
  /** Share of the usual labels below which it is an outage. */
  readonly outageBelow: number
  /** Multiple of the usual labels above which it is a surge. */
  readonly surgeAbove: number
  /** After so long, how labels come is taken for usual. */
  readonly freezeAtMostMs: number
}

/** What the join needs to know. */
export interface JoinOptions {
  readonly tasks: readonly JoinTask[]
  readonly emission: Emission
  /** With `fast` emission: how long after the impression its provisional row leaves; 0 by default. */
  readonly observeMs?: number
  /** Share of the impressions, picked by a hash of their id, that also give an `opened` row; 0 by default. */
  readonly openedShare?: number
  /** Without impressions: feedback whose pair is not known opens a sample and labels it. */
  readonly firstActionOpens?: boolean
  /** The kind of tombstones, and the field of impressions that holds the user. */
  readonly erasure?: { readonly kind: string; readonly userField: string } | undefined
  /** Watches how labels come in; absent: nothing does. */
  readonly guard?: GuardOptions | undefined
  /** How long after the longest window a key is remembered, to tell late feedback from orphans; by default that window. */
  readonly retentionMs: number
}

const taskOptions = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9_]*$/, 'lower-case letters, digits and _')
      .describe('name of the task in metrics and reports'),
    kind: z.string().min(1).optional().describe('kind of the feedback event; default: the name'),
    window_ms: z.int().positive().describe('how long after the impression the label may come'),
  })
  .transform(
    (task): JoinTask => ({
      name: task.name,
      kind: task.kind ?? task.name,
      windowMs: task.window_ms,
    }),
  )

const guardOptions = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('a task does not learn while its labels come far off the usual rate'),
    outage_below: z
      .number()
      .min(0)
      .max(0.9)
      .default(0.25)
      .describe('share of the usual labels below which it is an outage'),
    surge_above: z
      .number()
      .min(1.5)
      .default(3)
      .describe('multiple of the usual labels above which it is a surge, as of bots'),
    freeze_at_most_ms: z
      .int()
      .positive()
      .default(86_400_000)
      .describe('event time after which the new rate is taken for usual'),
  })
  .transform((guard): GuardOptions | undefined =>
    guard.enabled
      ? {
          outageBelow: guard.outage_below,
          surgeAbove: guard.surge_above,
          freezeAtMostMs: guard.freeze_at_most_ms,
        }
      : undefined,
  )

/** What a job may say about the join; gives camel-case domain types. */
export const joinOptions = z
  .strictObject({
    tasks: z
      .array(taskOptions)
      .min(1)
      .refine((tasks) => new Set(tasks.map((task) => task.name)).size === tasks.length, {
        message: 'two tasks have the same name',
      }),
    emission: z
      .enum(['wait', 'staged', 'fast'])
      .default('wait')
      .describe(
        'when samples leave the join: after the longest window, as each window ends, or at once as negatives that are corrected',
      ),
    observe_ms: z
      .int()
      .nonnegative()
      .default(0)
      .describe('with fast emission: wait this long for feedback before the first row leaves'),
    guard: guardOptions.prefault({}),
    retention_ms: z
      .int()
      .nonnegative()
      .optional()
      .describe('how long closed impressions are remembered; default: the longest window'),
  })
  .superRefine(({ tasks, emission, observe_ms: observeMs }, context) => {
    const path = ['observe_ms']
    const complain = (message: string): void => context.addIssue({ code: 'custom', path, message })
    if (observeMs > 0 && emission !== 'fast') complain('needs emission: fast')
    else if (tasks.some((task) => task.windowMs <= observeMs)) {
      complain('must be below the window of every task')
    }
  })
  .transform(({ tasks, emission, observe_ms, guard, retention_ms }) => ({
    tasks,
    emission,
    guard,
    observeMs: observe_ms,
    retentionMs: retention_ms ?? longestWindowMs(tasks),
  }))

/** The section after validation. */
export type JoinSettings = z.output<typeof joinOptions>

/** The window after which an impression is closed. */
export function longestWindowMs(tasks: readonly JoinTask[]): number {
  return tasks.reduce((longest, task) => Math.max(longest, task.windowMs), 0)
}
