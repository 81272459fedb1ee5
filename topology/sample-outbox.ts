/** @file The samples of one shard onto its partition of the samples topic, numbered; those that are there are not appended again. */

import type { OutgoingRecord, TopicLog } from '../src/broker/topic-log.ts'
import type { TopicPartition } from '../src/ids.ts'
import type { Sample } from '../src/samples/sample.ts'
import { type SampleSource, sampleToRecord } from '../src/samples/sample-record.ts'
import type { AvroCodec } from '../src/wire/avro-codec.ts'

/** Records at the end of the partition that are looked at: more than one, as the last offsets may be markers of transactions. */
const TAIL_RECORDS = 50

export interface SampleOutboxOptions {
  readonly codec: AvroCodec
  readonly tasks: readonly string[]
  readonly shard: number
  readonly epoch: number
}

/** Sample n of a shard is the same in every life, so the highest number on the topic says which are there. */
export class SampleOutbox {
  readonly #options: SampleOutboxOptions
  readonly #at: TopicPartition
  /** Numbers below it are on the topic. */
  readonly #present: number
  #next: number

  private constructor(
    options: SampleOutboxOptions,
    at: TopicPartition,
    { present, next }: { readonly present: number; readonly next: number },
  ) {
    this.#options = options
    this.#at = at
    this.#present = present
    this.#next = next
  }

  /** `next`: number of the first sample that the checkpoint does not cover. */
  static async open(
    log: TopicLog,
    at: TopicPartition,
    options: SampleOutboxOptions,
    next: number,
  ): Promise<SampleOutbox> {
    const present = Math.max(next, (await lastNumber(log, at, options)) + 1)
    return new SampleOutbox(options, at, { present, next })
  }

  /** Number of the next sample. */
  get next(): number {
    return this.#next
  }

  /** The records of these samples, in their order, without those that are on the topic. */
  records(samples: readonly Sample[]): OutgoingRecord[] {
    const { codec, tasks, shard, epoch } = this.#options
    const records: OutgoingRecord[] = []
    for (const sample of samples) {
      const sequence = this.#next++
      if (sequence < this.#present) continue
      records.push({
        key: Buffer.from(sample.key),
        value: codec.encode(sampleToRecord(sample, tasks, { shard, sequence, epoch })),
        timestampMs: sample.maturedAt,
        partition: this.#at.partition,
      })
    }
    return records
  }
}

/** The highest number at the end of the partition; -1 when there is none. */
async function lastNumber(
  log: TopicLog,
  at: TopicPartition,
  { codec, shard }: SampleOutboxOptions,
): Promise<number> {
  const bounds = (await log.bounds(at.topic)).find(({ partition }) => partition === at.partition)
  const { earliest = 0, latest = 0 } = bounds ?? {}
  let highest = -1
  for (let offset = Math.max(earliest, latest - TAIL_RECORDS); offset < latest; ) {
    const [batch] = await log.read([{ ...at, offset }], TAIL_RECORDS)
    if (batch === undefined) break
    for (const { value } of batch.records) {
      const decoded = codec.decode(value)
      const source = decoded.kind === 'value' ? (decoded.value.source as SampleSource | null) : null
      if (source?.shard === shard) highest = Math.max(highest, source.sequence)
    }
    offset = batch.nextOffset
  }
  return highest
}
