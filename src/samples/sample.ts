/** @file A sample: one impression with, per task, a label and whether that label is known yet. */

import type { JoinedSample } from '../join/join-outputs.ts'

/** One row to learn from; with `staged` emission an impression gives one row each time a group of tasks matures. */
export interface Sample extends Omit<JoinedSample, 'weight'> {
  /** Importance of the row in the loss; 1 unless negatives are sampled. */
  readonly weight: number
}

/** Whether a row takes part in a training step; the others are only scored, or only judge and teach what corrects. */
export function teaches({ role }: Sample): boolean {
  return role === 'final' || role === 'provisional' || role === 'late-positive'
}

/** The sample with some properties replaced. Not the same as copying by `...`, which loses fields that are not decoded yet. */
export function changed(sample: Sample, changes: Partial<Sample>): Sample {
  return { ...sample, fields: sample.fields, ...changes }
}
