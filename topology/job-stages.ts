/** @file A job's stages, built from its settings: the composition root of the learner. */

import { balancerFrom } from '../src/balance/balancers.ts'
import { rowBalancerFrom } from '../src/balance/row-balancers.ts'
import { dietTable } from '../src/embeddings/diet-table.ts'
import { sparseOptimizer } from '../src/embeddings/sparse-optimizers.ts'
import type { EmbeddingTable } from '../src/embeddings/table.ts'
import { MillraceError } from '../src/errors.ts'
import { FeatureState } from '../src/feature-state/feature-state.ts'
import { UserErasure } from '../src/feature-state/user-erasure.ts'
import { FeatureEncoder } from '../src/features/encode.ts'
import { compileFeatures, type FeatureSlot } from '../src/features/feature-spec.ts'
import { longestWindowMs } from '../src/join/options.ts'
import { buildModel } from '../src/model/build-model.ts'
import { Parameters } from '../src/model/parameters.ts'
import { tableColumns } from '../src/model/table-columns.ts'
import { ArmQuality } from '../src/observe/arm-quality.ts'
import { DriftMonitor } from '../src/observe/drift-monitor.ts'
import { FirstPredictions } from '../src/observe/first-predictions.ts'
import { PredictionLog } from '../src/observe/prediction-log.ts'
import { Progressive } from '../src/observe/progressive.ts'
import { Gate } from '../src/publish/gate.ts'
import { Publisher } from '../src/publish/publisher.ts'
import type { RowTypeOptions } from '../src/publish/row-types.ts'
import { ArmTraffic } from '../src/samples/arm-traffic.ts'
import { DrawnNegatives } from '../src/samples/drawn-negatives.ts'
import type { Intake } from '../src/samples/intake.ts'
import { MiniBatcher } from '../src/samples/mini-batcher.ts'
import { NegativeSampling } from '../src/samples/negative-sampling.ts'
import { keepRates } from '../src/samples/options.ts'
import { erasureOf, type Job, openedShare } from '../src/settings/job.ts'
import type { Engine } from '../src/tensors/engine.ts'
import { DenseAdam } from '../src/train/dense-adam.ts'
import { Learner } from '../src/train/learner.ts'
import { RateSchedule } from '../src/train/rate-schedule.ts'
import { RealNegatives } from '../src/train/real-negatives.ts'
import { WeightExchange } from '../src/train/weight-exchange.ts'
import { delayCorrection, lossCorrections, negativeWeights } from './job-corrections.ts'
import { jobHash, keepsSlots } from './job-hash.ts'
import { ALONE, type Share } from './sample-inputs.ts'

/** Everything that has state and is saved; in the order of the data's path. */
export interface JobStages {
  readonly tasks: readonly string[]
  readonly intake: Intake
  readonly sampling: NegativeSampling
  /** Of a job without impressions; undefined of any other. */
  readonly drawnNegatives: DrawnNegatives | undefined
  /** Undefined for a job that is no arm of a test. */
  readonly arms: ArmStages | undefined
  readonly batcher: MiniBatcher
  readonly encoder: FeatureEncoder
  readonly featureState: FeatureState
  readonly table: EmbeddingTable
  /** Forgets users; undefined in a job without tombstones. */
  readonly userErasure: UserErasure | undefined
  readonly learner: Learner
  /** The auxiliary heads of the correction es-dfm; undefined with any other. */
  readonly realNegatives: RealNegatives | undefined
  /** Whether samples are learned from before their labels are final. */
  readonly fast: boolean
  readonly firstPredictions: FirstPredictions
  /** What was predicted as impressions opened. */
  readonly openPredictions: FirstPredictions
  readonly progressive: Progressive
  readonly predictions: PredictionLog
  /** Of the predictions at opening; with `fast` emission those are the only ones, and these two stay empty. */
  readonly delayedProgressive: Progressive
  readonly delayedPredictions: PredictionLog
  /** Whether losses, label rates or features have moved. */
  readonly drift: DriftMonitor
  /** What was changed since the last meeting, of one of several trainers. */
  readonly weights: WeightExchange | undefined
  readonly publisher: Publisher
  readonly gate: Gate
}

/** Of an arm of an A/B test: which samples it takes, and its figures by the arm that showed the impression. */
export interface ArmStages {
  readonly traffic: ArmTraffic
  readonly quality: ArmQuality
}

/** Fresh stages; BAD_SETTINGS when the sections of the job do not fit together. */
export function buildStages(
  job: Job,
  intake: Intake,
  engine: Engine,
  share: Share = ALONE,
): JobStages {
  const tasks = job.join.tasks.map((task) => task.name)
  const spec = compileFeatures(job.features)
  const featureState = new FeatureState(spec, tasks, {
    negativeWeights: negativeWeights(job, tasks),
    diet: job.train.state_tables,
  })
  const encoder = new FeatureEncoder(spec, featureState, longestWindowMs(job.join.tasks))
  const { learner, table } = buildLearner(job, tasks, encoder, engine)
  if (share.of > 1 && table.life !== undefined) throw notBounded()
  const userField = erasureOf(job)?.userField
  return {
    tasks,
    intake,
    sampling: new NegativeSampling({
      keepRates: keepRates(job.negatives, tasks),
      seed: job.train.seed,
      openedShare: openedShare(job),
    }),
    drawnNegatives: drawnNegatives(job),
    arms: armStages(job, tasks),
    batcher: new MiniBatcher(job.batch),
    encoder,
    featureState,
    table,
    userErasure:
      userField === undefined ? undefined : new UserErasure(spec, table, featureState, userField),
    learner,
    realNegatives: delayCorrection(job) === 'es-dfm' ? new RealNegatives(tasks.length) : undefined,
    fast: job.join.emission === 'fast',
    ...judges(job, tasks),
    drift: new DriftMonitor(tasks, spec, job.observe.drift),
    weights: share.of === 1 ? undefined : new WeightExchange(table, learner.parts.parameters),
    publisher: buildPublisher(job, tasks, encoder, learner),
    gate: new Gate(job.publish.gate),
  }
}

function armStages({ arm, observe }: Job, tasks: readonly string[]): ArmStages | undefined {
  if (arm === undefined) return undefined
  const traffic = new ArmTraffic(arm)
  const arms = traffic.names.length
  return { traffic, quality: new ArmQuality({ arms, tasks, window: observe.window }) }
}

/** Undefined for a job with impressions. */
function drawnNegatives({ events, negatives, train }: Job): DrawnNegatives | undefined {
  const { drawn } = negatives
  if (drawn === undefined) return undefined
  const { per_action: perAction, of_last: ofLast, item_fields } = drawn
  const items = events.kinds.flatMap(({ key }) => (typeof key === 'string' ? [] : [key[1]]))
  const itemFields = [...new Set([...items, ...item_fields])]
  return new DrawnNegatives({ perAction, ofLast, itemFields, seed: train.seed })
}

/** Admission, age and score of a row are of what one trainer saw: each would keep other rows. */
function notBounded(): MillraceError {
  return new MillraceError('BAD_SETTINGS', 'several trainers cannot bound their table', {
    remedy: 'leave train.tables out, or run one trainer',
  })
}

/** What predictions are judged by: those made before a step, and those made as impressions opened. */
function judges(job: Job, tasks: readonly string[]) {
  const { window, predictions: capacity } = job.observe
  const weights = negativeWeights(job, tasks)
  return {
    firstPredictions: new FirstPredictions(tasks.length, longestWindowMs(job.join.tasks)),
    openPredictions: new FirstPredictions(tasks.length, longestWindowMs(job.join.tasks)),
    progressive: new Progressive({ tasks, window, negativeWeights: weights }),
    predictions: new PredictionLog({ tasks, capacity, negativeWeights: weights }),
    delayedProgressive: new Progressive({ tasks, window }),
    delayedPredictions: new PredictionLog({ tasks, capacity }),
  }
}

/** The types in which rows are published. */
export function rowTypes(job: Job, slots: readonly FeatureSlot[]): RowTypeOptions {
  const { values: byDefault, slot_values: others } = job.publish
  if (!keepsSlots(job)) return { byDefault }
  return { byDefault, bySlot: slots.map(({ name }) => others[name]) }
}

/** A fresh learner with its table, for what the encoder gives. */
export function buildLearner(
  job: Job,
  tasks: readonly string[],
  encoder: FeatureEncoder,
  engine: Engine,
): { learner: Learner; table: EmbeddingTable } {
  const { train } = job
  const { slots, denseWidth } = encoder.spec
  const model = buildModel(job.model, { tasks, fields: slots.length, dense: denseWidth })
  const rowBalancer = job.row_balance === undefined ? undefined : rowBalancerFrom(job.row_balance)
  const columns = tableColumns(model, {
    deviation: train.embedding_deviation,
    optimizer: sparseOptimizer(train.sparse),
    wideOptimizer: sparseOptimizer(train.wide),
    memory: rowBalancer?.remembers === true ? tasks.length : 0,
  })
  const table = dietTable(columns, train.seed, train.tables, { slot: keepsSlots(job) })
  const { learning_rate, beta1, beta2, epsilon } = train.dense
  const learner = new Learner({
    engine,
    model,
    parameters: new Parameters(model.parameters, train.seed),
    table,
    adam: new DenseAdam({ learningRate: learning_rate, beta1, beta2, epsilon }),
    balancer: balancerFrom(job.balance),
    ...(rowBalancer === undefined ? {} : { rowBalancer }),
    gradientsAt: train.gradients_at,
    corrections: lossCorrections(job, tasks),
    schedule: new RateSchedule(train.schedule),
    slotRates: slotRates(train.slot_rates, slots),
    clipNorm: train.clip_norm,
    sgdRate: learning_rate,
  })
  return { learner, table }
}

/** By slot; undefined where no feature has a rate of its own. */
function slotRates(
  rates: Job['train']['slot_rates'],
  slots: readonly FeatureSlot[],
): readonly number[] | undefined {
  if (Object.keys(rates).length === 0) return undefined
  return slots.map(({ name }) => rates[name] ?? 1)
}

function buildPublisher(
  job: Job,
  tasks: readonly string[],
  encoder: FeatureEncoder,
  learner: Learner,
): Publisher {
  const { publish, train } = job
  const identity = {
    model_id: publish.model_id ?? job.name,
    job_sha256: jobHash(job),
    feature_spec: encoder.spec.features,
    feature_spec_sha256: encoder.spec.hash,
    model: job.model,
    tasks,
    table: {
      width: learner.parts.table.columns.width,
      seed: train.seed,
      deviation: train.embedding_deviation,
    },
  }
  return new Publisher(learner, identity, {
    everySamples: publish.every_samples,
    fullEvery: publish.full_every,
    probeRows: publish.probe_rows,
    values: rowTypes(job, encoder.spec.slots),
  })
}
