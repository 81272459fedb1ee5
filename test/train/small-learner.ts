/** @file A learner of a few ids and its batches, for tests: everything follows from a seed. */

import type { BalancerState } from '../../src/balance/balancer.ts'
import { type AnyBalancer, balancerFrom } from '../../src/balance/balancers.ts'
import type { RowBalancer } from '../../src/balance/row-balancer.ts'
import { layOutColumns } from '../../src/embeddings/columns.ts'
import { sparseOptimizer } from '../../src/embeddings/sparse-optimizers.ts'
import { EmbeddingTable } from '../../src/embeddings/table.ts'
import { restoreTable, snapshotTable } from '../../src/embeddings/table-snapshot.ts'
import type { BatchLabels, EncodedFeatures, SlotKeys } from '../../src/features/encoded-batch.ts'
import { buildModel } from '../../src/model/build-model.ts'
import type { Model } from '../../src/model/model.ts'
import { modelOptions } from '../../src/model/options.ts'
import { Parameters } from '../../src/model/parameters.ts'
import { tableColumns } from '../../src/model/table-columns.ts'
import { type Random, randomFrom } from '../../src/random.ts'
import type { Engine } from '../../src/tensors/engine.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import type { GradientPlace } from '../../src/train/balancing.ts'
import { DenseAdam } from '../../src/train/dense-adam.ts'
import { Learner } from '../../src/train/learner.ts'
import { RateSchedule } from '../../src/train/rate-schedule.ts'
import { scheduleOptions } from '../../src/train/schedule-options.ts'

export const TASKS = ['click', 'like', 'share']
export const SLOTS = 2
const IDS = 6

/** What a test may choose; the rest is small. */
export interface SmallLearnerOptions {
  readonly model?: Readonly<Record<string, unknown>>
  readonly tasks?: readonly string[]
  readonly balancer?: AnyBalancer
  readonly rowBalancer?: RowBalancer
  readonly at?: GradientPlace
  readonly engine?: Engine
  readonly learningRate?: number
  /** Settings of `train.schedule`. */
  readonly schedule?: Readonly<Record<string, unknown>>
  readonly slotRates?: readonly number[]
  readonly seed?: number
  /** Rows keep the slots of their keys. */
  readonly slot?: boolean
}

export const SMALL_MODEL = {
  kind: 'mmoe',
  dim: 3,
  experts: 2,
  expert_hidden: [5],
  tower_hidden: [4],
}

export function smallModel(model: Readonly<Record<string, unknown>>, tasks = TASKS): Model {
  return buildModel(modelOptions.parse(model), { tasks, fields: SLOTS, dense: 1 })
}

export function smallLearner(options: SmallLearnerOptions = {}): Learner {
  const { tasks = TASKS, rowBalancer, learningRate = 0.05, seed = 1 } = options
  const model = smallModel(options.model ?? SMALL_MODEL, [...tasks])
  const columns = tableColumns(model, {
    deviation: 0.5,
    optimizer: sparseOptimizer({
      kind: 'adagrad',
      learning_rate: 0.1,
      initial_accumulator: 0.1,
      epsilon: 1e-10,
    }),
    memory: rowBalancer?.remembers === true ? tasks.length : 0,
  })
  return new Learner({
    engine: options.engine ?? plainEngine('float32'),
    model,
    parameters: new Parameters(model.parameters, seed),
    table: new EmbeddingTable(layOutColumns(columns, seed, { slot: options.slot === true })),
    adam: new DenseAdam({ learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }),
    balancer: options.balancer ?? balancerFrom({ kind: 'equal' }),
    ...(rowBalancer === undefined ? {} : { rowBalancer }),
    ...(options.schedule === undefined
      ? {}
      : { schedule: new RateSchedule(scheduleOptions.parse(options.schedule)) }),
    slotRates: options.slotRates,
    gradientsAt: options.at ?? 'representation',
    clipNorm: 100,
    sgdRate: learningRate,
  })
}

/** Rows with one id in the first slot and up to two in the second, so that ids recur within and between batches. */
export function randomFeatures(random: Random, rows: number): EncodedFeatures {
  const single: SlotKeys = {
    hi: new Uint32Array(rows).fill(1),
    lo: Uint32Array.from({ length: rows }, () => random.integer(IDS)),
    starts: Uint32Array.from({ length: rows + 1 }, (_, row) => row),
    pooling: 'single',
  }
  const counts = Array.from({ length: rows }, () => random.integer(3))
  const starts = Uint32Array.from([0, ...counts])
  for (let row = 1; row <= rows; row++) starts[row]! += starts[row - 1]!
  const total = starts[rows]!
  const bag: SlotKeys = {
    hi: new Uint32Array(total).fill(2),
    lo: Uint32Array.from({ length: total }, () => random.integer(IDS)),
    starts,
    pooling: 'sum',
  }
  const dense = Float32Array.from({ length: rows }, () => random.normal())
  return { rows, slots: [single, bag], dense, denseWidth: 1 }
}

/** Random labels of which some are unknown; `masked` tasks have none. */
export function randomLabels(
  random: Random,
  rows: number,
  { tasks = TASKS.length, masked = [] }: { tasks?: number; masked?: readonly number[] } = {},
): BatchLabels {
  const length = tasks * rows
  return {
    labels: Float32Array.from({ length }, () => Math.round(random.uniform())),
    mask: Float32Array.from({ length }, (_, at) =>
      masked.includes(Math.floor(at / rows)) ? 0 : Number(random.uniform() < 0.8),
    ),
    weights: new Float32Array(rows).fill(1),
  }
}

export interface SmallBatch {
  readonly features: EncodedFeatures
  readonly labels: BatchLabels
}

export function randomBatches(count: number, seed: number, tasks = TASKS.length): SmallBatch[] {
  const random = randomFrom(seed)
  return Array.from({ length: count }, () => {
    const rows = 4 + random.integer(5)
    return { features: randomFeatures(random, rows), labels: randomLabels(random, rows, { tasks }) }
  })
}

/** Everything that learning changes, as bytes in hex: equal states are equal texts. */
export function stateOf(learner: Learner): string {
  const { parts } = learner
  return [learner.snapshot(), snapshotTable(parts.table)]
    .map((bytes) => Buffer.from(bytes).toString('hex'))
    .join('/')
}

/** What is learned, without counts of steps and samples and without balancer state. */
export function weightsOf(learner: Learner): string {
  const { parameters, adam, table } = learner.parts
  return [parameters.snapshot(), adam.snapshot(), snapshotTable(table)]
    .map((bytes) => Buffer.from(bytes).toString('hex'))
    .join('/')
}

/** A fresh learner in the state of another. */
export function restored(from: Learner, options: SmallLearnerOptions): Learner {
  const learner = smallLearner(options)
  learner.restore(from.snapshot().slice())
  restoreTable(learner.parts.table, snapshotTable(from.parts.table).slice())
  return learner
}

/** A balancer of fixed coefficients: what comes out must be sum_t c_t g_t whatever made the c_t. */
export function fixedBalancer(
  coefficients: readonly number[],
  needs: 'losses' | 'gram',
): AnyBalancer {
  return {
    name: 'fixed',
    needs,
    init: (): BalancerState => ({}),
    coefficients: ({ active }, state) => ({
      coefficients: Float64Array.from(coefficients, (c, task) => (active[task] === 1 ? c : 0)),
      state,
    }),
  }
}
