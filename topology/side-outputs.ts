/** @file Dead letters, late events and orphans: each to its own topic, with its reason and where it came from (law 5). */

import type { OutgoingRecord, TopicLog } from '../src/broker/topic-log.ts'
import { MillraceError } from '../src/errors.ts'
import type { EventSource } from '../src/events/event.ts'
import type { TopicPartition } from '../src/ids.ts'
import type { JoinOutputs } from '../src/join/join-outputs.ts'
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

/** Appends what did not become a sample, exactly once over crashes. */
export class SideOutputs {
  readonly #boxes: ReadonlyMap<string, Outbox>
  readonly #job: string
  readonly #inputs: readonly TopicPartition[]
  readonly #codec = new AvroCodec({ schema: loadSchema(packageFile('schemas/dead-letter.avsc')) })

  private constructor(job: string, inputs: readonly TopicPartition[], boxes: Map<string, Outbox>) {
    this.#job = job
    this.#inputs = inputs
    this.#boxes = boxes
  }

  /** `written`: records per topic that the checkpoint covers. */
  static async open(
    log: TopicLog,
    job: string,
    inputs: readonly TopicPartition[],
    written: Readonly<Record<string, number>>,
  ): Promise<SideOutputs> {
    const boxes = new Map<string, Outbox>()
    for (const side of SIDES) {
      const topic = sideTopic(job, side)
      boxes.set(topic, await Outbox.open(log, topic, written[topic] ?? 0))
    }
    return new SideOutputs(job, inputs, boxes)
  }

  /** Records per topic, for the checkpoint. */
  get written(): Record<string, number> {
    return Object.fromEntries(Array.from(this.#boxes, ([topic, box]) => [topic, box.written]))
  }

  async append(outputs: JoinOutputs): Promise<void> {
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

  #box(side: (typeof SIDES)[number]): Outbox {
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
      partition: 0,
    }
  }
}
