/** @file The event topics of a job as the dense list of inputs: every partition with its kind and its decoder. */

import type { TopicDefinition, TopicLog } from '../src/broker/topic-log.ts'
import { eventDecoder, type SkimEvent } from '../src/events/event-decoder.ts'
import type { EventKind } from '../src/events/event-kind.ts'
import { eventSkimmer } from '../src/events/event-skimmer.ts'
import type { TopicPartition } from '../src/ids.ts'
import type { JoinInput } from '../src/join/event-joiner.ts'
import { besideJob, type Job } from '../src/settings/job.ts'
import { AvroCodec } from '../src/wire/avro-codec.ts'
import { loadSchema } from '../src/wire/avro-schema.ts'

/** One partition of one event topic. */
export interface EventInput extends JoinInput, TopicPartition {
  /** What `decode` reads with; one for all partitions of the topic. */
  readonly codec: AvroCodec
  /** Gives what `decode` gives, for less, or nothing; absent where only decoding will do. */
  readonly skim?: SkimEvent | undefined
}

/** The codec of a kind of event: its schema, in the bus's framing. */
export function codecOf(job: Job, kind: EventKind): AvroCodec {
  const { framing, schema_ids, registry } = job.bus
  const schemaId = schema_ids[kind.topic]
  return new AvroCodec({
    schema: loadSchema(besideJob(job, kind.schema)),
    framing,
    learnsWriters: registry !== undefined,
    writers: kind.writers.map(({ schema, id }) => ({
      schema: loadSchema(besideJob(job, schema)),
      ...(id === undefined ? {} : { id }),
    })),
    ...(schemaId === undefined ? {} : { schemaId }),
  })
}

/** Makes the event topics that do not exist yet, with the bus's partition count. */
export async function createEventTopics(job: Job, log: TopicLog): Promise<void> {
  const existing = await log.topics()
  const { partitions } = job.bus
  for (const { topic } of job.events.kinds) {
    if (existing.has(topic)) continue
    await log.createTopic({ topic, partitions, cleanup: 'delete', ...retentionOf(job) })
  }
}

/** How long a topic that this job makes keeps its records. */
export function retentionOf({ bus }: Job): Pick<TopicDefinition, 'retentionBytes' | 'retentionMs'> {
  const { retention_bytes: retentionBytes, retention_ms: retentionMs } = bus
  return {
    ...(retentionBytes === undefined ? {} : { retentionBytes }),
    ...(retentionMs === undefined ? {} : { retentionMs }),
  }
}

/** All inputs, kinds in the order of the job file, partitions ascending: the index is part of every checkpoint. */
export async function eventInputs(job: Job, log: TopicLog): Promise<EventInput[]> {
  await createEventTopics(job, log)
  const topics = await log.topics()
  return job.events.kinds.flatMap((kind) => {
    const reader = readerOf(job, kind)
    const { topic } = kind
    return Array.from({ length: topics.get(topic) ?? 0 }, (_, partition) => {
      return { topic, partition, kind, ...reader }
    })
  })
}

/** The inputs of one partition number, with decoders of their own: what they learn of writers is theirs. */
export function inputsOfPartition(
  job: Job,
  inputs: readonly EventInput[],
  partition: number,
): EventInput[] {
  return inputs
    .filter((input) => input.partition === partition)
    .map((input) => ({ ...input, ...readerOf(job, input.kind) }))
}

function readerOf(job: Job, kind: EventKind): Pick<EventInput, 'codec' | 'decode' | 'skim'> {
  const codec = codecOf(job, kind)
  const skim = eventSkimmer(kind, codec)
  return { codec, skim, decode: eventDecoder(kind, (bytes) => codec.decode(bytes), skim) }
}
