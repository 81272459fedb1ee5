/** @file How a job declares its features: a list, each with a name, a kind and the field it reads. */

import { z } from 'zod'
import { featureName } from './feature-name.ts'
import { hasState, type StateOptions, stateFeatures } from './state-options.ts'

const fieldName = z.string().min(1)
const fromField = fieldName.optional().describe('field to read; the name unless given')

const utcOffsetHours = z
  .number()
  .min(-14)
  .max(14)
  .default(0)
  .describe('hours east of UTC, fractions allowed (India 5.5)')

/** One id: a text, integer or boolean field; an absent value has a key of its own. */
const idFeature = z.strictObject({
  name: featureName,
  kind: z.literal('id'),
  from: fromField,
})

/** A bag of ids: list fields, or text fields cut at a separator; an empty bag holds the key of "missing". */
const idsFeature = z.strictObject({
  name: featureName,
  kind: z.literal('ids'),
  from: z
    .union([fieldName, z.array(fieldName).min(1)])
    .optional()
    .describe('field or fields to read; the name unless given'),
  separator: z.string().min(1).default(',').describe('where a text is cut'),
  pooling: z.enum(['mean', 'sum']).default('mean').describe('what is made of the vectors'),
  limit: z.int().min(1).max(1024).default(32).describe('values beyond this many are left out'),
})

/** A dense input. Absent values become 0, which is the mean once standardised. */
const numberFeature = z.strictObject({
  name: featureName,
  kind: z.literal('number'),
  from: fromField,
  log: z.boolean().default(false).describe('sign(v) log(1 + |v|) first'),
  standardise: z
    .boolean()
    .default(true)
    .describe('subtract the running mean and divide by the running deviation'),
  clip: z.number().positive().default(5).describe('the result is cut to [-clip, clip]'),
})

/** A number as an id: the bucket it falls into. */
const bucketFeature = z
  .strictObject({
    name: featureName,
    kind: z.literal('bucket'),
    from: fromField,
    boundaries: z
      .array(z.number())
      .min(1)
      .optional()
      .describe('ascending; the bucket is the number of boundaries <= v'),
    quantum: z.number().positive().optional().describe('the bucket is floor(v / quantum)'),
    log2: z
      .number()
      .positive()
      .optional()
      .describe('buckets per doubling of 1 + |v|: floor(log2(1 + |v|) * log2), with the sign of v'),
  })
  .superRefine((feature, context) => {
    const given = [feature.boundaries, feature.quantum, feature.log2].filter((x) => x !== undefined)
    if (given.length !== 1) {
      context.addIssue({
        code: 'custom',
        message: 'needs exactly one of boundaries, quantum and log2',
      })
    }
    const { boundaries = [] } = feature
    if (boundaries.some((value, i) => i > 0 && value <= (boundaries[i - 1] ?? 0))) {
      context.addIssue({ code: 'custom', path: ['boundaries'], message: 'must ascend' })
    }
  })

/** A combination of id-like features declared above it; of a bag, every member is combined. */
const crossFeature = z.strictObject({
  name: featureName,
  kind: z.literal('cross'),
  of: z.array(featureName).min(2).max(8).describe('features above this one'),
  limit: z
    .int()
    .min(1)
    .max(1024)
    .default(64)
    .describe('combinations beyond this many per row are left out'),
})

/** The hour (0 to 23) or the weekday (0 is Sunday) of the impression's event time. */
const clockFeature = z.strictObject({
  name: featureName,
  kind: z.enum(['hour', 'weekday']),
  utc_offset_hours: utcOffsetHours,
})

const featureOptions = z.discriminatedUnion('kind', [
  idFeature,
  idsFeature,
  numberFeature,
  bucketFeature,
  crossFeature,
  clockFeature,
  ...stateFeatures,
])

/** The job's `features` list. Names are unique; a cross names features above it that are not plain numbers. */
export const featureListOptions = z
  .array(featureOptions)
  .min(1)
  .superRefine((features, context) => {
    const crossable = new Set<string>()
    const taken = new Set<string>()
    features.forEach((feature, i) => {
      if (taken.has(feature.name)) {
        context.addIssue({
          code: 'custom',
          path: [i, 'name'],
          message: `"${feature.name}" is declared twice`,
        })
      }
      for (const member of membersOf(feature).filter((name) => !crossable.has(name))) {
        context.addIssue({
          code: 'custom',
          path: [i, 'of'],
          message: `"${member}" must be a feature above this one that gives ids`,
        })
      }
      const items = feature.kind === 'history' ? feature.items : undefined
      if (
        items !== undefined &&
        !features.slice(0, i).some(({ kind, name }) => kind === 'id' && name === items)
      ) {
        context.addIssue({
          code: 'custom',
          path: [i, 'items'],
          message: `"${items}" must be a feature of kind id above this one`,
        })
      }
      taken.add(feature.name)
      if (givesIds(feature)) crossable.add(feature.name)
    })
  })

/** Features that another one is made of. */
function membersOf(feature: FeatureOptions): readonly string[] {
  if (feature.kind === 'cross') return feature.of
  if (!hasState(feature)) return []
  const cap = feature.kind === 'rate' ? feature.cap : undefined
  return cap === undefined ? feature.of : [...feature.of, cap.by]
}

/** Whether a feature is a slot of keys; the others are dense inputs. */
export function givesIds(feature: FeatureOptions): feature is SlotOptions {
  return feature.kind !== 'number' && !hasState(feature)
}

/** One declared feature with its defaults filled in. */
export type FeatureOptions = z.output<typeof featureOptions>
/** One that is a slot of keys. */
export type SlotOptions = Exclude<FeatureOptions, NumberOptions | StateOptions>
export type BucketOptions = z.output<typeof bucketFeature>
export type NumberOptions = z.output<typeof numberFeature>
export type IdsOptions = z.output<typeof idsFeature>
