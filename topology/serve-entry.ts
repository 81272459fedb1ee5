/**
 * @file The package entry `millrace/serve`: what a program needs to follow a model topic and score, without any native code.
 * @module millrace/serve
 */

export { openFileLog } from '../src/broker/file-log/file-log.ts'
export { MemoryLog } from '../src/broker/memory-log.ts'
export type { TopicLog } from '../src/broker/topic-log.ts'
export { type ErrorCode, MillraceError } from '../src/errors.ts'
export type { FeatureRow } from '../src/features/slot-encoders.ts'
export type { UpdateChunk } from '../src/publish/chunk.ts'
export { ChunkCodec, type DecodedChunk } from '../src/publish/chunk-codec.ts'
export type { ModelControl } from '../src/publish/control.ts'
export { TrustedKeys } from '../src/publish/signature.ts'
export type { UpdateHeader } from '../src/publish/update.ts'
export { CurrentFollower, type ModelInUse } from '../src/serve/current-follower.ts'
export {
  type Followed,
  Follower,
  type FollowerOptions,
  type RefusalReason,
} from '../src/serve/follower.ts'
export { type Scored, Scorer } from '../src/serve/scorer.ts'
export type { ServedModel } from '../src/serve/served-model.ts'
export type { Engine } from '../src/tensors/engine.ts'
export { plainEngine } from '../src/tensors/plain-engine.ts'
export { openChunkCodec } from './chunk-codec.ts'
export { readControl } from './control-topic.ts'
export { followToEnd, startOffset } from './follow-topic.ts'
