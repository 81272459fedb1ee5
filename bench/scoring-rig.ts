/** @file A served model of the default kind and the rows of one request: one user, many candidates. */

import type { EncodedFeatures } from '../src/features/encoded-batch.ts'
import { featureListOptions } from '../src/features/feature-options.ts'
import { compileFeatures } from '../src/features/feature-spec.ts'
import type { FeatureRow } from '../src/features/slot-encoders.ts'
import { Publisher } from '../src/publish/publisher.ts'
import type { UpdateContent } from '../src/publish/update.ts'
import { mix32, randomFrom } from '../src/random.ts'
import { plainEngine } from '../src/tensors/plain-engine.ts'
import { rigLearner } from './rig.ts'

const TASKS = ['click', 'like', 'share']
const USER_FIELDS = 8
const ITEM_FIELDS = 8
const IDS = 5_000

/** A published version of the default MMoE on 16 id features, after one batch. */
export function publishedVersion(): UpdateContent {
  const fields = USER_FIELDS + ITEM_FIELDS
  const spec = compileFeatures(
    featureListOptions.parse(
      Array.from({ length: fields }, (_, i) => ({ name: `field_${i}`, kind: 'id' })),
    ),
  )
  const model = { kind: 'mmoe' }
  const learner = rigLearner({ engine: plainEngine(), settings: model, fill: false })
  const { table } = learner.parts
  for (let id = 0; id < IDS * fields; id++) table.insertOne(mix32(id), id)
  const publisher = new Publisher(
    learner,
    {
      model_id: 'bench',
      job_sha256: '0'.repeat(64),
      feature_spec: spec.features,
      feature_spec_sha256: spec.hash,
      model,
      tasks: TASKS,
      table: { width: table.columns.width, seed: 1, deviation: 0.05 },
    },
    { everySamples: 1, fullEvery: 1, probeRows: 3 },
  )
  publisher.observe(requestOf(16, 0), 0)
  return publisher.draft({
    metrics: Object.fromEntries(TASKS.map((task) => [task, { auc: 0.5, logloss: null }])),
    standardisation: new Float64Array(0),
  })
}

/** The fields of such a request: one user's in every row, an item's in each. */
export function rowsOf(candidates: number, seed: number): FeatureRow[] {
  const random = randomFrom(seed)
  const user = Array.from({ length: USER_FIELDS }, () => `user-${random.integer(IDS)}`)
  return Array.from({ length: candidates }, () => {
    const item = Array.from({ length: ITEM_FIELDS }, () => `item-${random.integer(IDS)}`)
    const named = [...user, ...item].map((value, i) => [`field_${i}`, value])
    return { fields: Object.fromEntries(named), time: 0 }
  })
}

/** One user's ids in every row, an item's in each. */
export function requestOf(candidates: number, seed: number): EncodedFeatures {
  const random = randomFrom(seed)
  const slots = Array.from({ length: USER_FIELDS + ITEM_FIELDS }, (_, field) => {
    const user = random.integer(IDS)
    const lo = Uint32Array.from(
      { length: candidates },
      () => field * IDS + (field < USER_FIELDS ? user : random.integer(IDS)),
    )
    return {
      hi: Uint32Array.from(lo, mix32),
      lo,
      starts: Uint32Array.from({ length: candidates + 1 }, (_, i) => i),
      pooling: 'single' as const,
    }
  })
  return { rows: candidates, slots, dense: new Float32Array(0), denseWidth: 0 }
}
