/** @file The `publish.gate` section of a job: what holds a version back. */

import { z } from 'zod'

/** Bounds that a version must keep; every field has a default. */
export const gateOptions = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('false: only weights that are not finite hold a version back'),
    max_norm: z
      .number()
      .positive()
      .default(10_000)
      .describe('largest Euclidean norm of a dense weight matrix or of an embedding row'),
    max_norm_growth: z
      .number()
      .gt(1)
      .default(10)
      .describe(
        'largest ratio of the norm of all dense weights to that of the last published version',
      ),
    warmup_samples: z
      .int()
      .min(0)
      .default(20_000)
      .describe('quality is judged once so many samples were learned from'),
    min_positives: z
      .int()
      .positive()
      .default(100)
      .describe('a task is judged when the samples since the last verdict have so many positives'),
    max_auc_drop: z
      .number()
      .min(0)
      .max(1)
      .default(0.05)
      .describe(
        'largest fall of a task against the last published version, beyond three standard errors',
      ),
    min_auc: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('smallest AUC of every task; left out: no bound'),
    max_normalized_entropy: z
      .number()
      .positive()
      .default(2)
      .describe('largest log loss over the entropy of the base rate'),
    calibration: z
      .tuple([z.number().min(0), z.number().positive()])
      .refine(([low, high]) => low < high, 'the smaller bound comes first')
      .default([0.5, 2])
      .describe('bounds of predicted over observed positives'),
    patience: z
      .int()
      .positive()
      .default(10)
      .describe(
        'after so many held versions in a row the fall of AUC and the growth of norms are judged no more: the world may have changed for good',
      ),
  })
  .describe('what holds a version back, so that no sick model is published')

export type GateOptions = z.output<typeof gateOptions>
