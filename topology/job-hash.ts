/** @file A job as a hash: equal where the same is learned from the same events. */

import { createHash } from 'node:crypto'
import type { Job } from '../src/settings/job.ts'

/** A hash of everything in a job that decides what is learned: where it runs and what it serves do not. */
export function jobHash(job: Job): string {
  const { name, events, join, features, batch, negatives, model, balance, row_balance, train } = job
  const { checkpoint_every_records: _, state: __, epoch_records: ___, ...learning } = train
  const balancing = { balance, row_balance }
  const { reset_on_drift: resets } = train.schedule
  const content = {
    name,
    events,
    join,
    features,
    batch,
    negatives,
    model,
    ...balancing,
    train: learning,
    ...(job.arm === undefined ? {} : { arm: job.arm }),
    ...(resets ? { drift: job.observe.drift } : {}),
    // Rows then have a word more.
    ...(keepsSlots(job) ? { slots: true } : {}),
  }
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}

/** Whether rows keep the slots of their keys: where the types of published values depend on them. */
export function keepsSlots({ publish }: Job): boolean {
  return Object.keys(publish.slot_values).length > 0
}
