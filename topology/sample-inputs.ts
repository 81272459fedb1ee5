/** @file The samples topic of a job as inputs of a trainer, and the codec that joiners write it with. */

import type { TopicLog } from '../src/broker/topic-log.ts'
import { sampleKind } from '../src/samples/sample-intake.ts'
import { sampleDecoder } from '../src/samples/sample-record.ts'
import type { Job } from '../src/settings/job.ts'
import { AvroCodec } from '../src/wire/avro-codec.ts'
import { loadSchema } from '../src/wire/avro-schema.ts'
import { type EventInput, retentionOf } from './event-inputs.ts'
import { packageFile } from './package-files.ts'

/** Which of several trainers: number `index` (from 1) of `of`. */
export interface Share {
  readonly index: number
  readonly of: number
}

/** One process for all partitions. */
export const ALONE: Share = { index: 1, of: 1 }

/** The codec of the samples topic, in the bus's framing. */
export function sampleCodec({ bus, samples }: Job): AvroCodec {
  const schemaId = bus.schema_ids[samples.topic]
  return new AvroCodec({
    schema: loadSchema(packageFile('schemas/sample.avsc')),
    framing: bus.framing,
    learnsWriters: bus.registry !== undefined,
    ...(schemaId === undefined ? {} : { schemaId }),
  })
}

/** Makes the samples topic unless it exists; one partition for each shard. */
export async function createSamplesTopic(job: Job, log: TopicLog, shards: number): Promise<void> {
  const { topic } = job.samples
  if ((await log.topics()).has(topic)) return
  const writers = 'each-partition'
  await log.createTopic({
    topic,
    partitions: shards,
    cleanup: 'delete',
    writers,
    ...retentionOf(job),
  })
}

/** The partitions that belong to a trainer: those whose number leaves its place when divided by the trainers. */
export async function sampleInputs(job: Job, log: TopicLog, share: Share): Promise<EventInput[]> {
  const { topic } = job.samples
  await createSamplesTopic(job, log, job.bus.partitions)
  const partitions = (await log.topics()).get(topic) ?? 0
  const codec = sampleCodec(job)
  const tasks = job.join.tasks.map((task) => task.name)
  const decode = sampleDecoder(tasks, (bytes) => codec.decode(bytes))
  const kind = sampleKind(topic)
  return Array.from({ length: partitions }, (_, partition) => partition)
    .filter((partition) => partition % share.of === share.index - 1)
    .map((partition) => ({ topic, partition, kind, decode, codec }))
}
