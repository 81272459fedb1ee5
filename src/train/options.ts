/** @file The `train` section of a job: mini-batches, optimizers, clipping, checkpoints. */

import { z } from 'zod'
import { dietOptions, stateDietOptions } from '../embeddings/diet-options.ts'
import { sparseOptimizerOptions } from '../embeddings/sparse-optimizers.ts'
import { ENGINE_PREFERENCES } from '../tensors/engine-preferences.ts'
import { scheduleOptions } from './schedule-options.ts'

const denseOptions = z
  .strictObject({
    learning_rate: z.number().positive().default(0.001).describe('Adam step size'),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.999),
    epsilon: z.number().positive().default(1e-8),
  })
  .describe('Adam for the dense weights')

/** What a job may say about training; every field has a default. */
export const trainOptions = z.strictObject({
  state: z
    .string()
    .min(1)
    .optional()
    .describe('folder of checkpoints and epoch journal; default: .millrace/<job name>/state'),
  seed: z.int().min(0).max(0xffffffff).default(1).describe('initial weights and every random draw'),
  engine: z
    .enum(ENGINE_PREFERENCES)
    .default('auto')
    .describe('what computes: the fastest that is here, or a named one'),
  dense: denseOptions.prefault({}),
  sparse: sparseOptimizerOptions
    .prefault({ kind: 'adagrad' })
    .describe('optimizer of the rows that a batch touched'),
  wide: sparseOptimizerOptions
    .prefault({ kind: 'adagrad' })
    .describe('optimizer of the linear weights, in models that have them'),
  schedule: scheduleOptions.prefault({}),
  slot_rates: z
    .record(z.string(), z.number().positive())
    .default({})
    .describe('multiples of the learning rates of rows, by feature; 1 where none is given'),
  tables: dietOptions.prefault({}),
  state_tables: stateDietOptions.prefault({}),
  embedding_deviation: z
    .number()
    .nonnegative()
    .default(0.01)
    .describe('standard deviation of a new embedding'),
  correction: z
    .enum(['none', 'fnc', 'fnw', 'es-dfm', 'retraction'])
    .optional()
    .describe(
      'with join.emission: fast, what keeps negatives that turn positive later from biasing the model; default: fnc',
    ),
  clip_norm: z
    .number()
    .positive()
    .default(10)
    .describe('largest norm of the dense gradient of one step; larger ones are scaled down'),
  gradients_at: z
    .enum(['representation', 'parameters', 'tensors'])
    .default('representation')
    .describe(
      'where balancers compare task gradients: at the shared output (fast), at the shared parameters (exact), or at each of them',
    ),
  epoch_records: z
    .int()
    .positive()
    .default(2_000)
    .describe('most records of one partition in one epoch (one poll)'),
  checkpoint_every_records: z
    .int()
    .positive()
    .default(50_000)
    .describe('records read between two checkpoints'),
  exchange_ms: z
    .int()
    .positive()
    .default(60_000)
    .describe('several trainers: event time between two exchanges of what they learned'),
  report_skip: z
    .number()
    .min(0)
    .lt(1)
    .default(0.2)
    .describe('share of the samples, from the start, that the report leaves out'),
})

export type TrainOptions = z.infer<typeof trainOptions>
