/** @file A sample: one impression with, per task, a label and whether that label is known yet. */

import type { JoinedSample, RowRole } from '../join/join-outputs.ts'

/** One row to learn from; with `staged` emission an impression gives one row each time a group of tasks matures. */
export interface Sample extends Omit<JoinedSample, 'weight' | 'role'> {
  /** As the join gives it, or `drawn`: a negative that nobody saw, of a job without impressions. */
  readonly role: RowRole | 'drawn'
  /** Importance of the row in the loss; 1 unless negatives are sampled. */
  readonly weight: number
  /** ln of how many negatives of this row's item are drawn for each first action; absent where none are drawn. */
  readonly logDrawRate?: number
}

/** Whether a row takes part in a training step; the others are only scored, or only judge and teach what corrects. */
export function teaches({ role }: Sample): boolean {
  return !['opened', 'matured', 'erasure'].includes(role)
}

/** The sample with some properties replaced. Not the same as copying by `...`, which loses what is not read yet. */
export function changed(sample: Sample, changes: Partial<Sample>): Sample {
  const { id, key, time, fields, weight } = sample
  return { ...sample, id, key, time, fields, weight, ...changes }
}
