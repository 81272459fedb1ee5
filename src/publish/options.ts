/** @file The `publish` section of a job: which topic, how often, how big. */

import { z } from 'zod'
import { CHUNK_COMPRESSIONS } from './chunk.ts'
import { gateOptions } from './gate-options.ts'
import { VALUE_TYPES } from './value-type.ts'

/** What a job may say about publication; every field has a default. */
export const publishOptions = z.strictObject({
  topic: z.string().min(1).default('model').describe('topic of the model updates'),
  model_id: z.string().min(1).max(200).optional().describe("defaults to the job's name"),
  every_samples: z.int().positive().default(10_000).describe('samples learned between two updates'),
  every_ms: z
    .int()
    .positive()
    .optional()
    .describe(
      'wall clock after which a version is due as well, if anything was learned since the last one',
    ),
  full_every: z
    .int()
    .positive()
    .default(20)
    .describe('one update in so many is a full snapshot, the others are deltas'),
  chunk_bytes: z
    .int()
    .min(1_024)
    .max(900_000)
    .default(500_000)
    .describe("largest piece of an update; a broker's default limit is 1 MB"),
  probe_rows: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe('encoded inputs with their scores that travel along, to prove a load'),
  values: z
    .enum(VALUE_TYPES)
    .default('float32')
    .describe('type of the published values of rows; what is learned stays float32'),
  slot_values: z
    .record(z.string(), z.enum(VALUE_TYPES))
    .default({})
    .describe('types of the rows of some features by their names, where they have another'),
  compression: z
    .enum(CHUNK_COMPRESSIONS)
    .default('none')
    .describe('of the chunks on the topic; hashes do not depend on it'),
  gate: gateOptions.prefault({}),
})

export type PublishOptions = z.infer<typeof publishOptions>
