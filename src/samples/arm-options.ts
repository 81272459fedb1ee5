/** @file The `arm` section of a job: which arm of an A/B test it is, and whose impressions it learns from. */

import { z } from 'zod'

/** What impressions count under that name no arm of the test. */
export const UNNAMED_ARM = 'unnamed'

const armName = z
  .string()
  .min(1)
  .refine((name) => name !== UNNAMED_ARM, { message: `'${UNNAMED_ARM}' is what has no arm` })

/** What a job may say about its arm; a job that says nothing learns from everything. */
export const armOptions = z
  .strictObject({
    field: z
      .string()
      .min(1)
      .default('arm')
      .describe('field of the impression with the name of the arm that showed it'),
    name: armName.describe('the arm that this job is'),
    others: z.array(armName).min(1).describe('the other arms of the test'),
    train_on: z
      .enum(['own', 'shared', 'mirrored'])
      .default('own')
      .describe(
        'own: what this arm has shown; shared: everything; mirrored: what the arm of `mirrors` has shown',
      ),
    mirrors: armName.optional().describe('with mirrored: one of the others'),
  })
  .superRefine(({ name, others, train_on: on, mirrors }, context) => {
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (new Set([name, ...others]).size <= others.length) complain('others', 'names an arm twice')
    if ((on === 'mirrored') !== (mirrors !== undefined)) {
      complain('mirrors', 'goes with train_on: mirrored, and only with it')
    } else if (mirrors !== undefined && !others.includes(mirrors)) {
      complain('mirrors', 'must be one of others')
    }
  })

export type ArmOptions = z.output<typeof armOptions>
