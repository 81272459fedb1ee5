/** @file Dead letters, late events and orphans: each to its own topic, with its reason and where it came from (law 5). */

import type { OutgoingRecord, TopicLog } from '../src/broker/topic-log.ts'
import { DEFAULT_MAX_RECORD_BYTES } from '../src/broker/topic-rules.ts'
import { MillraceError } from '../src/errors.ts'
import type { EventSource } from '../src/events/event.ts'
import type { TopicPartition } from '../src/ids.ts'
import type { IntakeOutputs } from '../src/samples/intake.ts'
import type { Job } from '../src/settings/job.ts'
import { AvroCodec } from '../src/wire/avro-codec.ts'
import { loadSchema } from '../src/wire/avro-schema.ts'
import { Outbox } from './outbox.ts'
import { packageFile } from './package-files.ts'

/** The outputs that are not samples. */
const SIDES = ['dead-letter', 'late', 'orphan'] as const

/** Characters of the detail, and bytes for the note and for longer lengths, in a record that is cut. */
const LONGEST_DETAIL = 1_000
const ROOM_FOR_NOTE = 100

/** Name of a side output's topic. */
export function sideTopic(job: string, side: (typeof SIDES)[number]): string {
  return `${job}.${side}`
}

/** Names of all of them. */
export function sideTopics(job: string): string[] {
  return SIDES.map((side) => sideTopic(job, side))
}

/** Whose side outputs, of what, and where. */
export interface SidePlace {
  /** The job, with its role: topics are named after it. */
  readonly job: string
  readonly inputs: readonly TopicPartition[]
  /** Records per topic that the checkpoint covers. */
  readonly written: Readonly<Record<string, number>>
  readonly partition: number
  /** Largest key plus value that the bus takes. */
  readonly maxRecordBytes: number
}

/** Largest key plus value on the bus of a job. */
export function largestRecord({ bus }: Job): number {
  return bus.kind === 'kafka' ? bus.max_record_bytes : DEFAULT_MAX_RECORD_BYTES
}

/** Where the records of one side go. */
export interface SideBox {
  /** How far it is written, for the checkpoint. */
  readonly written: number
  append(records: readonly OutgoingRecord[]): Promise<void>
}

/** Opens the box of a topic from where the checkpoint has it. */
export type OpenSideBox = (topic: string, written: number) => Promise<SideBox>

/** Appends what did not become a sample, exactly once over crashes. */
export class SideOutputs {
  readonly #boxes: ReadonlyMap<string, SideBox>
  readonly #partition: number
  readonly #job: string
  readonly #inputs: readonly TopicPartition[]
  readonly #maxRecordBytes: number
  readonly #codec = new AvroCodec({ schema: loadSchema(packageFile('schemas/dead-letter.avsc')) })

  private constructor(place: SidePlace, boxes: ReadonlyMap<string, SideBox>) {
    this.#job = place.job
    this.#partition = place.partition
    this.#inputs = place.inputs
    this.#boxes = boxes
    this.#maxRecordBytes = place.maxRecordBytes
  }

  /** Topics with one partition, for one writer. */
  static open(log: TopicLog, place: Omit<SidePlace, 'partition'>): Promise<SideOutputs> {
    const open: OpenSideBox = (topic, upTo) => Outbox.open(log, topic, upTo)
    return SideOutputs.openIn(open, { ...place, partition: 0 })
  }

  /** With boxes of another kind, all in one partition. */
  static async openIn(open: OpenSideBox, place: SidePlace): Promise<SideOutputs> {
    const { job, written } = place
    const boxes = new Map<string, SideBox>()
    for (const topic of sideTopics(job)) boxes.set(topic, await open(topic, written[topic] ?? 0))
    return new SideOutputs(place, boxes)
  }

  /** Records per topic, for the checkpoint. */
  get written(): Record<string, number> {
    return Object.fromEntries(Array.from(this.#boxes, ([topic, box]) => [topic, box.written]))
  }

  async append(outputs: Pick<IntakeOutputs, 'deadLetters' | 'late' | 'orphans'>): Promise<void> {
    await this.#box('dead-letter').append(
      outputs.deadLetters.map(({ source, reason, detail, raw }) =>
        this.#record(source, reason, detail, raw),
      ),
    )
    await this.#box('late').append(
      outputs.late.map(({ event, reason }) =>
        this.#record(event.source, reason, event.id, event.raw),
      ),
    )
    await this.#box('orphan').append(
      outputs.orphans.map((event) =>
        this.#record(event.source, 'no-impression', event.id, event.raw),
      ),
    )
  }

  /** A record that came in may be as large as one that goes out: what does not fit beside its reason is left out, and that is said. */
  #encodeWithin(
    limit: number,
    place: Readonly<Record<string, unknown>> & { readonly detail: string },
    raw: Uint8Array,
  ): Uint8Array {
    const whole = this.#codec.encode({ ...place, bytes: Buffer.from(raw) })
    if (whole.length <= limit) return whole
    const short = place.detail.slice(0, LONGEST_DETAIL)
    const none = this.#codec.encode({ ...place, detail: short, bytes: Buffer.alloc(0) })
    const kept = Math.max(0, limit - none.length - ROOM_FOR_NOTE)
    const detail = `${short} (the first ${kept} of ${raw.length} bytes)`
    return this.#codec.encode({ ...place, detail, bytes: Buffer.from(raw.subarray(0, kept)) })
  }

  #box(side: (typeof SIDES)[number]): SideBox {
    const box = this.#boxes.get(sideTopic(this.#job, side))
    if (box === undefined) throw new MillraceError('BAD_STATE', `no outbox for ${side}`)
    return box
  }

  #record(source: EventSource, reason: string, detail: string, raw: Uint8Array): OutgoingRecord {
    const at = this.#inputs[source.input]
    const { topic = '', partition = 0 } = at ?? {}
    const key = new TextEncoder().encode(`${topic}/${partition}/${source.offset}`)
    const place = { topic, partition, offset: source.offset, reason }
    return {
      key,
      value: this.#encodeWithin(this.#maxRecordBytes - key.length, { ...place, detail }, raw),
      // The record says where it came from; a time of its own would be the wall clock's.
      timestampMs: 0,
      partition: this.#partition,
    }
  }
}
