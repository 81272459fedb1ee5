/**
 * @file The public API: every name that a program outside may import from 'millrace', written out. What is here is used by
 * an example in examples/library; the command line does the rest.
 * @module millrace
 */

export { openChunkCodec } from '../topology/chunk-codec.ts'
export {
  type Fields,
  type LearnerOptions,
  type LibraryLearner,
  learner,
  type RowScores,
} from '../topology/library.ts'
export type { Balanced, Balancer, BalancerState, TaskGradients } from './balance/balancer.ts'
export {
  type AnyBalancer,
  BALANCERS,
  type BalancerMethod,
  balancerFrom,
} from './balance/balancers.ts'
export { gramOf } from './balance/gram.ts'
export type { CombinedGradient, TaskVectors, VectorBalancer } from './balance/vector-balancer.ts'
export { type FileLog, openFileLog } from './broker/file-log/file-log.ts'
export { MemoryLog } from './broker/memory-log.ts'
export type { FileLogOptions } from './broker/options.ts'
export type {
  LogRecord,
  OutgoingRecord,
  PartitionBounds,
  Position,
  RecordBatch,
  TopicDefinition,
  TopicLog,
} from './broker/topic-log.ts'
export type { Delivery } from './delivery.ts'
export { type ErrorCode, MillraceError } from './errors.ts'
export { FeatureEncoder } from './features/encode.ts'
export type { EncodedFeatures, SlotKeys } from './features/encoded-batch.ts'
export { compileFeatures, type FeatureSpec } from './features/feature-spec.ts'
export type { FeatureRow } from './features/slot-encoders.ts'
export type { TopicPartition } from './ids.ts'
export { buildModel } from './model/build-model.ts'
export type { Model, ModelShape } from './model/model.ts'
export { MODELS } from './model/models.ts'
export { auc } from './observe/auc.ts'
export { aucInterval, type Interval } from './observe/auc-interval.ts'
export { calibrationRatio } from './observe/calibration.ts'
export { type GroupedAuc, groupedAuc } from './observe/grouped-auc.ts'
export { logLoss, normalizedEntropy } from './observe/log-loss.ts'
export type { Quality, Report, TaskQuality } from './observe/report.ts'
export type { UpdateChunk } from './publish/chunk.ts'
export type { ChunkCodec, DecodedChunk } from './publish/chunk-codec.ts'
export type { UpdateHeader } from './publish/update.ts'
export { type Followed, Follower, type RefusalReason } from './serve/follower.ts'
export type { ServedModel } from './serve/served-model.ts'
export { besideJob, type Job, loadJob, parseJob } from './settings/job.ts'
export type { JobSettings } from './settings/job-schema.ts'
export type { Engine, EngineName } from './tensors/engine.ts'
export { type EngineChoice, openEngine } from './tensors/engine-choice.ts'
export type { EnginePreference } from './tensors/engine-preferences.ts'
export { plainEngine } from './tensors/plain-engine.ts'
export type { Clock, EventTime } from './time.ts'
export {
  AvroCodec,
  type AvroCodecOptions,
  type AvroRecord,
  type Decoded,
  type WriterSchema,
} from './wire/avro-codec.ts'
export { type AvroSchema, loadSchema, type SchemaField } from './wire/avro-schema.ts'
export type { Framing } from './wire/framing.ts'
export type { PerTask } from './world/tasks.ts'
export { Truth } from './world/truth.ts'
export { World } from './world/world.ts'
export { type WorldInput, type WorldOptions, worldOptions } from './world/world-options.ts'
