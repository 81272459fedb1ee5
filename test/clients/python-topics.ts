/** @file Topics of every kind of model, with what their trainers scored, and vectors of the encoder: what the Python client is held to. */

import type { FileLog } from '../../src/broker/file-log/file-log.ts'
import { layOutColumns } from '../../src/embeddings/columns.ts'
import { EmbeddingTable } from '../../src/embeddings/table.ts'
import { UserErasure } from '../../src/feature-state/user-erasure.ts'
import { FeatureEncoder } from '../../src/features/encode.ts'
import { featureListOptions } from '../../src/features/feature-options.ts'
import { compileFeatures } from '../../src/features/feature-spec.ts'
import { hashBytes } from '../../src/features/hash.ts'
import type { FeatureRow } from '../../src/features/slot-encoders.ts'
import { featureStateSections } from '../../src/publish/feature-state-section.ts'
import { RowTypes } from '../../src/publish/row-types.ts'
import { signerFromPem } from '../../src/publish/signature.ts'
import { randomFrom } from '../../src/random.ts'
import type { Sample } from '../../src/samples/sample.ts'
import { parseJob } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { eventInputs } from '../../topology/event-inputs.ts'
import { buildStages, rowTypes } from '../../topology/job-stages.ts'
import { eventJoiner } from '../../topology/learner-role.ts'
import { ModelTopic } from '../../topology/model-topic.ts'
import { exportSnapshot, pinSnapshot } from '../../topology/snapshot-change.ts'
import type { PemPair } from '../publish/keys.ts'
import { plainSample } from '../samples/plain-sample.ts'
import { frozenClock, jobText } from '../topology/temporary-job.ts'
import { randomLabels } from '../train/small-learner.ts'

/** Where topics and files go, and what signs the topic `signed`. */
export interface Place {
  readonly folder: string
  readonly log: FileLog
  readonly keys: PemPair
}

/** Every kind without a state. */
const FEATURES = `features:
  - { name: user, kind: id, from: user_id }
  - { name: category, kind: id }
  - { name: tags, kind: ids }
  - { name: age, kind: number, from: item_age_hours, log: true }
  - { name: price, kind: bucket, log2: 2 }
  - { name: step, kind: bucket, quantum: 0.25, from: price }
  - { name: band, kind: bucket, boundaries: [0, 1.5, 30], from: price }
  - { name: hour, kind: hour, utc_offset_hours: 5.5 }
  - { name: weekday, kind: weekday }
  - { name: pair, kind: cross, of: [user, tags], limit: 5 }
  - { name: score, kind: number, clip: 2 }
`

/** What features learn from the stream; of the topic `rates` alone, as exports have no rows of them. */
const STATE = `  - { name: user_rate, kind: rate, of: [user], tasks: [like, click], half_life_hours: [1, 48], smoothing: 2 }
  - { name: tag_rate, kind: rate, of: [tags], tasks: [click], counts: false }
  - { name: pair_seen, kind: last_seen, of: [user, tags], scale_minutes: 30 }
`

/** One line per topic: the \`model\` section; the first has everything that a test may need. */
export const MODELS: readonly (readonly [string, string])[] = [
  [
    'mmoe',
    '{ kind: mmoe, dim: 4, experts: 3, expert_hidden: [8, 6], gate_hidden: [5], tower_hidden: [4], wide: true }',
  ],
  [
    'shared-bottom',
    '{ kind: shared-bottom, dim: 4, bottom_hidden: [8], tower_hidden: [4], wide: true }',
  ],
  ['omoe', '{ kind: omoe, dim: 4, experts: 2, expert_hidden: [6], tower_hidden: [4] }'],
  ['ple', '{ kind: ple, dim: 4, levels: 2, expert_hidden: [6], tower_hidden: [4], wide: true }'],
  ['stem', '{ kind: stem, dim: 4, expert_hidden: [6], tower_hidden: [4], wide: true }'],
  ['dephn', '{ kind: dephn, dim: 4 }'],
  ['aitm', '{ kind: aitm, dim: 4, bottom_hidden: [6], tower_hidden: [4] }'],
  ['esmm', '{ kind: esmm, dim: 4, tower_hidden: [4] }'],
  [
    'dml',
    '{ kind: mmoe, dim: 4, experts: 2, expert_hidden: [6], tower_hidden: [4], dml: {}, conditional: [{ task: like, given: click }] }',
  ],
  ['signed', '{ kind: mmoe, dim: 4, experts: 2, expert_hidden: [6], tower_hidden: [4] }'],
  ['halves', '{ kind: mmoe, dim: 4, experts: 2, expert_hidden: [6], wide: true }'],
  ['bytes', '{ kind: mmoe, dim: 4, experts: 2, expert_hidden: [6], wide: true }'],
  ['rates', '{ kind: mmoe, dim: 4, experts: 2, expert_hidden: [6], wide: true }'],
  ['pinned', '{ kind: shared-bottom, dim: 4, bottom_hidden: [6], tower_hidden: [4] }'],
]
/** What the `publish` section of some topics says besides. */
const PUBLISH: Readonly<Record<string, string>> = {
  halves: ', values: float16, compression: deflate',
  bytes: ', values: int8, slot_values: { user: float32, tags: float16 }, compression: deflate',
}
const EXPORTED = ['mmoe', 'shared-bottom', 'ple', 'stem', 'dephn', 'aitm', 'esmm', 'dml']
const VERSIONS = 3

/** Rows with absent, ill-typed and never learned values among them. */
export function sampleRows(count: number, seed: number): FeatureRow[] {
  const random = randomFrom(seed)
  const pick = (values: readonly unknown[]): unknown => values[random.integer(values.length)]
  return Array.from({ length: count }, (_, i) => ({
    time: 1_772_431_200_000 + 7_777_777 * i,
    fields: {
      user_id: pick(['u1', 'ü2', 3, 4.5, 1e21, 1e-7, true, '', null, `u${i}`]),
      category: pick(['music', 'sport', undefined, { a: 1 }]),
      tags: pick([['a', 'b'], 'a, b ,c', [], ['x', 7, null, ''], null, ['a', 'b', 'c', 'd']]),
      item_age_hours: pick([1, 30.5, 400, null, 'old', 0]),
      price: pick([0, 0.3, 1.5, 29.99, 1000, -5, null, 'much']),
      score: random.normal() * 3,
    },
  }))
}

/** The rows with drawn labels, as the join gives them when their windows have ended. */
function settledSamples(rows: readonly FeatureRow[], seed: number): Sample[] {
  const random = randomFrom(seed)
  return rows.map(({ fields, time }, i) =>
    plainSample({
      id: `${seed} ${i}`,
      fields,
      time,
      labels: Float32Array.of(Number(random.uniform() < 0.4), Number(random.uniform() < 0.2)),
    }),
  )
}

export async function publishTopic(
  { folder, log, keys }: Place,
  topic: string,
  model: string,
  rows: readonly FeatureRow[],
): Promise<object> {
  const text = jobText(folder)
    .replace(/features:[\s\S]*(?=batch:)/, topic === 'rates' ? FEATURES + STATE : FEATURES)
    .replace(/model: \{.*\}/, `model: ${model}`)
    .replace('chunk_bytes: 4096', `chunk_bytes: 3000, probe_rows: 5${PUBLISH[topic] ?? ''}`)
  const job = parseJob(`${folder}/job.yaml`, text)
  const { learner, encoder, publisher, table, featureState } = buildStages(
    job,
    eventJoiner(job, await eventInputs(job, log)),
    plainEngine(),
  )
  const types = new RowTypes(learner.parts.table, rowTypes(job, encoder.spec.slots))
  const signer = topic === 'signed' ? signerFromPem(keys.privatePem) : undefined
  const modelTopic = await ModelTopic.open({
    log,
    topic,
    modelId: 'small',
    codec: openChunkCodec(),
    chunkBytes: 3000,
    compression: job.publish.compression,
    clock: frozenClock,
    signer,
  })
  const versions: string[] = []
  const scores: number[][] = []
  const erasure = new UserErasure(encoder.spec, table, featureState, 'user_id')
  for (let version = 1; version <= VERSIONS; version++) {
    for (let batch = 0; batch < 3; batch++) {
      const learned = sampleRows(32, 100 * version + batch)
      const features = encoder.encode(learned)
      learner.learn(features, randomLabels(randomFrom(batch), 32, { tasks: 2 }))
      encoder.learn(learned)
      encoder.settle(settledSamples(learned, version))
      publisher.observe(features, 0)
    }
    // The last version of one topic has a user taken away: its row, and its pairs with tags.
    if (topic === 'omoe' && version === VERSIONS) erasure.erase('u1')
    const made = publisher.commit(
      publisher.draft({
        metrics: { click: { auc: 0.7 }, like: { auc: null } },
        standardisation: encoder.statistics(),
        sections: featureStateSections(featureState, publisher.nextKind),
      }),
    )
    featureState.published()
    await modelTopic.publish(made)
    versions.push(made.sha256)
    scores.push([...learner.score(encoder.encode(rows), (...read) => types.round(...read))])
  }
  const source = { log, topic, modelId: 'small', trusted: undefined }
  const context = {
    clock: frozenClock,
    environment: {},
    terminal: process.stderr,
    print: () => undefined,
    script: '',
  }
  if (topic === 'pinned')
    await pinSnapshot(context, source, 2, { reason: 'test', signer: undefined })
  if (EXPORTED.includes(topic)) {
    for (const format of ['safetensors', 'onnx'] as const) {
      await exportSnapshot(context, source, {
        sequence: undefined,
        format,
        output: `${folder}/${topic}.${format}`,
      })
    }
  }
  const at = topic === 'pinned' ? 2 : VERSIONS
  return {
    topic,
    sequence: at,
    sha256: versions[at - 1],
    versions,
    scores: scores[at - 1],
    rows_held: table.used,
    exported: EXPORTED.includes(topic),
    ...(signer === undefined ? {} : { public_key: keys.publicPem }),
  }
}

export function featureVectors(folder: string, rows: readonly FeatureRow[]): object {
  const list = parseJob(
    'job.yaml',
    jobText(folder).replace(/features:[\s\S]*(?=batch:)/, FEATURES),
  ).features
  const spec = compileFeatures(featureListOptions.parse(list))
  const encoder = new FeatureEncoder(spec)
  encoder.learn(sampleRows(50, 1))
  const { slots, dense } = encoder.encode(rows)
  const random = randomFrom(4)
  const texts = [
    '',
    'a',
    'abc',
    'ünïcode ☃',
    'x'.repeat(15),
    'y'.repeat(16),
    'z'.repeat(17),
    'w'.repeat(100),
  ]
  const numbers = [
    0,
    7,
    -7,
    0.1,
    1.5,
    123456789,
    1e20,
    1e21,
    1.5e300,
    1e-6,
    1.25e-7,
    -0.00001,
    2 ** 53,
    0.1 + 0.2,
    ...Array.from({ length: 50 }, () => random.normal() * 10 ** (random.integer(50) - 25)),
  ]
  const hi = Uint32Array.from({ length: 20 }, () => random.integer(2 ** 32))
  const lo = Uint32Array.from({ length: 20 }, () => random.integer(2 ** 32))
  const table = new EmbeddingTable(
    layOutColumns([{ name: 'embedding', width: 5, deviation: 0.3 }], 77),
  )
  const values = new Float32Array(100)
  table.lookUp({ hi, lo, count: 20 }, new Int32Array(20), values)
  return {
    hashes: texts.map((text, i) => {
      const key = { hi: 0, lo: 0 }
      const bytes = new TextEncoder().encode(text)
      hashBytes(bytes, bytes.length, i * 1_000_003, key)
      return [text, i * 1_000_003, [key.hi, key.lo]]
    }),
    numbers: numbers.map((value) => [value, String(value)]),
    initial: { hi: [...hi], lo: [...lo], seed: 77, deviation: 0.3, width: 5, values: [...values] },
    encoded: {
      features: spec.features,
      rows: rows.map(({ fields }) => fields),
      times: rows.map(({ time }) => time),
      statistics: [...encoder.statistics()],
      slots: slots.map((slot) => ({
        pooling: slot.pooling,
        starts: [...slot.starts],
        hi: [...slot.hi],
        lo: [...slot.lo],
      })),
      dense: [...dense],
    },
  }
}
