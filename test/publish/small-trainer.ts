/** @file A small trainer that publishes, and the chunks of its versions, for tests of both ends of the model topic. */

import type { EncodedFeatures } from '../../src/features/encoded-batch.ts'
import { featureListOptions } from '../../src/features/feature-options.ts'
import { compileFeatures } from '../../src/features/feature-spec.ts'
import { type ChunkEnvelope, cutIntoChunks, type UpdateChunk } from '../../src/publish/chunk.ts'
import { Publisher, type Version } from '../../src/publish/publisher.ts'
import type { RowTypeOptions } from '../../src/publish/row-types.ts'
import { randomFrom } from '../../src/random.ts'
import type { Learner } from '../../src/train/learner.ts'
import {
  randomBatches,
  randomFeatures,
  SMALL_MODEL,
  type SmallLearnerOptions,
  smallLearner,
  TASKS,
} from '../train/small-learner.ts'

const SPEC = compileFeatures(
  featureListOptions.parse([
    { name: 'user', kind: 'id' },
    { name: 'tags', kind: 'ids', pooling: 'sum' },
    { name: 'age', kind: 'number' },
  ]),
)

/** What a publisher says besides the weights. */
export const MOMENT = {
  metrics: Object.fromEntries(TASKS.map((task) => [task, { auc: 0.5, logloss: null }])),
  standardisation: Float64Array.of(3, 0.5, 1.5),
}

export interface SmallTrainerOptions extends SmallLearnerOptions {
  readonly values?: RowTypeOptions
}

export interface SmallTrainer {
  readonly learner: Learner
  readonly publisher: Publisher
  /** Learns from `batches` random batches and publishes. */
  next(batches?: number): Version
}

export function publisherOf(
  learner: Learner,
  { model = SMALL_MODEL, seed = 1, values }: SmallTrainerOptions = {},
): Publisher {
  const identity = {
    model_id: 'small',
    job_sha256: 'a'.repeat(64),
    feature_spec: SPEC.features,
    feature_spec_sha256: SPEC.hash,
    model,
    tasks: TASKS,
    table: { width: learner.parts.table.columns.width, seed, deviation: 0.5 },
  }
  return new Publisher(learner, identity, {
    everySamples: 20,
    fullEvery: 4,
    probeRows: 3,
    ...(values === undefined ? {} : { values }),
  })
}

/** Versions 1, 5, 9, ... are full. */
export function smallTrainer(options: SmallTrainerOptions = {}, data = 1): SmallTrainer {
  const learner = smallLearner(options)
  const publisher = publisherOf(learner, options)
  const stream = randomBatches(200, data)[Symbol.iterator]()
  return {
    learner,
    publisher,
    next: (batches = 2) => {
      for (let i = 0; i < batches; i++) {
        const { value } = stream.next()
        if (value === undefined) throw new Error('the small trainer has no more batches')
        learner.learn(value.features, value.labels)
        publisher.observe(value.features, 1000 * learner.steps)
      }
      return publisher.commit(publisher.draft(MOMENT))
    },
  }
}

export const CHUNK_BYTES = 700

/** The records of a version on the topic. */
export function chunksOf(
  version: Version,
  envelope: Partial<ChunkEnvelope> = {},
  chunkBytes = CHUNK_BYTES,
): UpdateChunk[] {
  const { sequence, kind, sha256, parentSha256, content } = version
  return cutIntoChunks(
    {
      model_id: 'small',
      trainer_epoch: 1,
      sequence,
      kind,
      sha256,
      parent_sha256: parentSha256,
      full_offset: 0,
      published_at_ms: 0,
      signature: new Uint8Array(0),
      ...envelope,
    },
    content,
    chunkBytes,
  )
}

/** Rows to score, among them ids that nobody has learned. */
export function probeRows(seed: number): EncodedFeatures {
  return randomFeatures(randomFrom(seed), 9)
}
