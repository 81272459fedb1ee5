/** @file A learner of a real size and its batches: what the benches of a training step run on. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { balancerFrom } from '../src/balance/balancers.ts'
import { rowBalancerFrom } from '../src/balance/row-balancers.ts'
import { layOutColumns } from '../src/embeddings/columns.ts'
import { sparseOptimizer } from '../src/embeddings/sparse-optimizers.ts'
import { EmbeddingTable } from '../src/embeddings/table.ts'
import type { BatchLabels, EncodedFeatures, SlotKeys } from '../src/features/encoded-batch.ts'
import { buildModel } from '../src/model/build-model.ts'
import { modelOptions } from '../src/model/options.ts'
import { Parameters as Weights } from '../src/model/parameters.ts'
import { tableColumns } from '../src/model/table-columns.ts'
import { mix32, randomFrom } from '../src/random.ts'
import type { Engine } from '../src/tensors/engine.ts'
import { DenseAdam } from '../src/train/dense-adam.ts'
import { Learner } from '../src/train/learner.ts'
import { processorMs } from './harness.ts'

export const FIELDS = 16
const DIM = 16
/** Ids of one field; a million rows in all, which both sides hold from the start. */
const VOCABULARY = 62_500
/** Batches that a side goes through again and again. */
const BATCHES = 8

const WIDTHS = { dim: DIM, expert_hidden: [256, 128], tower_hidden: [64] }

/** The `model` sections of the benches; `bench/peers/torch/train_step.py` has their twins. */
export const MODELS = {
  mmoe: { kind: 'mmoe', ...WIDTHS, experts: 8 },
  ple: { kind: 'ple', ...WIDTHS, shared_experts: 4, specific_experts: 2 },
  stem: { kind: 'stem', ...WIDTHS, shared_experts: 4, specific_experts: 2, gate_hidden: [64] },
} as const

export type ModelName = keyof typeof MODELS

export interface Batch {
  readonly features: EncodedFeatures
  readonly labels: BatchLabels
  /** Row of the table per field and sample, field-major: what a peer without hashed keys looks up. */
  readonly rows: Int32Array
}

export interface RigOptions {
  readonly engine: Engine
  readonly model?: ModelName
  /** A `model` section instead of one of `MODELS`. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** `false` leaves the table empty. */
  readonly fill?: boolean
  readonly tasks?: number
  readonly balance?: { readonly kind: string }
  readonly rowBalance?: Parameters<typeof rowBalancerFrom>[0]
}

/** A learner with every row in its table. */
export function rigLearner(options: RigOptions): Learner {
  const { engine, model: name = 'mmoe', tasks = 3, balance = { kind: 'equal' } } = options
  const names = Array.from({ length: tasks }, (_, task) => `task ${task}`)
  const model = buildModel(modelOptions.parse(options.settings ?? MODELS[name]), {
    tasks: names,
    fields: FIELDS,
    dense: 0,
  })
  const rowBalancer = options.rowBalance && rowBalancerFrom(options.rowBalance)
  const columns = tableColumns(model, {
    deviation: 0.05,
    optimizer: sparseOptimizer({
      kind: 'adagrad',
      learning_rate: 0.05,
      initial_accumulator: 0.1,
      epsilon: 1e-10,
    }),
    memory: rowBalancer?.remembers === true ? tasks : 0,
  })
  const table = new EmbeddingTable(layOutColumns(columns, 1))
  const filled = options.fill === false ? 0 : FIELDS * VOCABULARY
  for (let row = 0; row < filled; row++) table.insertOne(mix32(row), row)
  return new Learner({
    engine,
    model,
    parameters: new Weights(model.parameters, 1),
    table,
    adam: new DenseAdam({ learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }),
    balancer: balancerFrom(balance),
    ...(rowBalancer === undefined ? {} : { rowBalancer }),
    gradientsAt: 'representation',
    clipNorm: 100,
    sgdRate: 1e-3,
  })
}

/** Batches of log-uniform ids: a few are everywhere, most are rare. */
export function rigBatches(size: number, tasks = 3): readonly Batch[] {
  const random = randomFrom(7)
  return Array.from({ length: BATCHES }, () => {
    const rows = new Int32Array(FIELDS * size)
    for (let at = 0; at < rows.length; at++) {
      const id = Math.floor(VOCABULARY ** random.uniform()) - 1
      rows[at] = Math.floor(at / size) * VOCABULARY + id
    }
    const slots = Array.from({ length: FIELDS }, (_, field) =>
      slotOf(rows.subarray(field * size, (field + 1) * size)),
    )
    const labels = Float32Array.from({ length: tasks * size }, () => Number(random.uniform() < 0.2))
    const known = {
      mask: new Float32Array(tasks * size).fill(1),
      weights: new Float32Array(size).fill(1),
    }
    return {
      features: { rows: size, slots, dense: new Float32Array(0), denseWidth: 0 },
      labels: { labels, ...known },
      rows,
    }
  })
}

/** The same batches as files for a peer: `rows.i32` and `labels.f32`. */
export function writeBatches(batches: readonly Batch[], folder: string): void {
  const joined = (arrays: readonly ArrayBufferView[]): Buffer =>
    Buffer.concat(arrays.map((view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength)))
  writeFileSync(join(folder, 'rows.i32'), joined(batches.map(({ rows }) => rows)))
  writeFileSync(join(folder, 'labels.f32'), joined(batches.map(({ labels }) => labels.labels)))
}

/** Milliseconds of one step: elapsed, and of all processors. */
export interface StepTime {
  readonly ms: number
  readonly processor_ms: number
}

/** The mean over `steps` of them. */
export function timedSteps(learner: Learner, batches: readonly Batch[], steps: number): StepTime {
  const [started, before] = [performance.now(), processorMs()]
  for (let step = 0; step < steps; step++) {
    const batch = batches[step % batches.length]
    if (batch !== undefined) learner.learn(batch.features, batch.labels)
  }
  const ms = (performance.now() - started) / steps
  return { ms, processor_ms: (processorMs() - before) / steps }
}

/** `timedSteps` without the processors. */
export function stepMs(learner: Learner, batches: readonly Batch[], steps: number): number {
  return timedSteps(learner, batches, steps).ms
}

function slotOf(rows: Int32Array): SlotKeys {
  return {
    hi: Uint32Array.from(rows, mix32),
    lo: Uint32Array.from(rows),
    starts: Uint32Array.from({ length: rows.length + 1 }, (_, i) => i),
    pooling: 'single',
  }
}
