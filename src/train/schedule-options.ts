/** @file The `train.schedule` section of a job: how the learning rates change over the life of a model. */

import { z } from 'zod'

/** What a job may say about its learning rates; by default they stay as they are set. */
export const scheduleOptions = z
  .strictObject({
    warmup_steps: z
      .int()
      .nonnegative()
      .default(0)
      .describe('steps over which the learning rates rise to their full value'),
    decay_steps: z
      .number()
      .positive()
      .optional()
      .describe('s of the decay 1 / sqrt(1 + steps / s) after the warm-up; left out: none'),
    floor: z
      .number()
      .gt(0)
      .max(1)
      .default(0.1)
      .describe('share of their full value that the rates never fall below: a stream never ends'),
    reset_on_drift: z
      .boolean()
      .default(false)
      .describe('the decay starts again when the loss of a task has risen (`observe.drift`)'),
  })
  .refine((schedule) => !schedule.reset_on_drift || schedule.decay_steps !== undefined, {
    path: ['reset_on_drift'],
    message: 'needs decay_steps: there is no decay to start again',
  })
  .describe('learning rates over the life of the model')

export type ScheduleOptions = z.output<typeof scheduleOptions>

/** Whether the rates ever differ from what is set. */
export function isScheduled({ warmup_steps, decay_steps }: ScheduleOptions): boolean {
  return warmup_steps > 0 || decay_steps !== undefined
}
