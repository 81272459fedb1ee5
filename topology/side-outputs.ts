/** @file Dead letters, late events and orphans: each to its own topic, with its reason and where it came from (law 5). */

import type { OutgoingRecord, TopicLog } from '../src/broker/topic-log.ts'
import { MillraceError } from '../src/errors.ts'
import type { EventSource } from '../src/events/event.ts'
import type { TopicPartition } from '../src/ids.ts'
import type { IntakeOutputs } from '../src/samples/intake.ts'
import { AvroCodec } from '../src/wire/avro-codec.ts'
import { loadSchema } from '../src/wire/avro-schema.ts'
import { Outbox } from './outbox.ts'
import { packageFile } from './package-files.ts'

/** The outputs that are not samples. */
const SIDES = ['dead-letter', 'late', 'orphan'] as const

/** Name of a side output's topic. */
export function sideTopic(job: string, side: (typeof SIDES)[number]): string {
  return `${job}.${side}`
}

/** Names of all of them. */
export function sideTopics(job: string): string[] {
  return SIDES.map((side) => sideTopic(job, side))
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
  readonly #codec = new AvroCodec({ schema: loadSchema(packageFile('schemas/dead-letter.avsc')) })

  private constructor(
    job: string,
    inputs: readonly TopicPartition[],
    boxes: ReadonlyMap<string, SideBox>,
    partition: number,
  ) {
    this.#job = job
    this.#partition = partition
    this.#inputs = inputs
    this.#boxes = boxes
  }

  /** Topics with one partition, for one writer. `written`: records per topic that the checkpoint covers. */
  static open(
    log: TopicLog,
    job: string,
    inputs: readonly TopicPartition[],
    written: Readonly<Record<string, number>>,
  ): Promise<SideOutputs> {
    const open: OpenSideBox = (topic, upTo) => Outbox.open(log, topic, upTo)
    return SideOutputs.openIn(open, { job, inputs, written, partition: 0 })
  }

  /** With boxes of another kind, all in one partition. */
  static async openIn(
    open: OpenSideBox,
    place: {
      readonly job: string
      readonly inputs: readonly TopicPartition[]
      readonly written: Readonly<Record<string, number>>
      readonly partition: number
    },
  ): Promise<SideOutputs> {
    const { job, inputs, written, partition } = place
    const boxes = new Map<string, SideBox>()
    for (const topic of sideTopics(job)) boxes.set(topic, await open(topic, written[topic] ?? 0))
    return new SideOutputs(job, inputs, boxes, partition)
  }

  /** Records per topic, for the checkpoint. */
  get written(): Record<string, number> {
    return Object.fromEntries(Array.from(this.#boxes, ([topic, box]) => [topic, box.written]))
  }

  async append(outputs: IntakeOutputs): Promise<void> {
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

  #box(side: (typeof SIDES)[number]): SideBox {
    const box = this.#boxes.get(sideTopic(this.#job, side))
    if (box === undefined) throw new MillraceError('BAD_STATE', `no outbox for ${side}`)
    return box
  }

  #record(source: EventSource, reason: string, detail: string, raw: Uint8Array): OutgoingRecord {
    const at = this.#inputs[source.input]
    const { topic = '', partition = 0 } = at ?? {}
    const value = {
      topic,
      partition,
      offset: source.offset,
      reason,
      detail,
      bytes: Buffer.from(raw),
    }
    return {
      key: new TextEncoder().encode(`${topic}/${partition}/${source.offset}`),
      value: this.#codec.encode(value),
      // The record says where it came from; a time of its own would be the wall clock's.
      timestampMs: 0,
      partition: this.#partition,
    }
  }
}
