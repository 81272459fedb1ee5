/**
 * @file Samples from the samples topic in the order in which one process would have joined them: drops what is there twice, and
 * merges the partitions by maturity. In a trainer it stands where the join stands in a learner of events.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import { type Decoded, type DecodeEvent, type Event, isMalformed } from '../events/event.ts'
import type { EventKind } from '../events/event-kind.ts'
import type { DedupeOptions } from '../events/options.ts'
import { ReorderBuffer } from '../events/reorder-buffer.ts'
import { Watermark } from '../events/watermark.ts'
import type { LabelHealth } from '../health.ts'
import type { DelayCurve } from '../join/delay-curve.ts'
import type { JoinInput } from '../join/event-joiner.ts'
import { emptyOutputs } from '../join/join-outputs.ts'
import { type KindAccounting, Ledger } from '../join/ledger.ts'
import type { EventTime } from '../time.ts'
import type { Intake, IntakeOutputs } from './intake.ts'
import type { SamplesOptions } from './options.ts'
import type { Sample } from './sample.ts'
import { SampleOrder } from './sample-order.ts'
import { SAMPLE_KIND, sampleFromEvent } from './sample-record.ts'

export interface SampleIntakeOptions {
  /** One per partition of the topic; `decode` is a `sampleDecoder`. */
  readonly inputs: readonly JoinInput[]
  /** Names of the job's tasks. */
  readonly tasks: readonly string[]
  readonly dedupe: DedupeOptions
  readonly gaps: SamplesOptions['gaps']
}

/** What is known of the samples topic as an input. */
export function sampleKind(topic: string): EventKind {
  return {
    kind: SAMPLE_KIND,
    topic,
    schema: 'schemas/sample.avsc',
    writers: [],
    id: 'id',
    time: 'matured_at',
    timeUnit: 'ms',
    key: 'key',
    anchor: true,
    label: {},
  }
}

/**
 * Each partition is expected to ascend in maturity; a sample leaves when every active partition has gone past it, in the order
 * (maturity, shorter window, impression). One that lies behind what has left is given at once: being late is for events, whose
 * labels it would decide; a sample is final.
 */
export class SampleIntake implements Intake {
  readonly #tasks: readonly string[]
  readonly #topic: string
  readonly #order: readonly SampleOrder[]
  readonly #watermark: Watermark
  readonly #buffer: ReorderBuffer
  readonly #ledger: Ledger

  constructor({ inputs, tasks, dedupe, gaps }: SampleIntakeOptions) {
    const decode: DecodeEvent = (raw, source) => {
      const input = inputs[source.input]
      if (input !== undefined) return input.decode(raw, source)
      throw new MillraceError('CORRUPT', `input ${source.input} of ${inputs.length}`)
    }
    this.#tasks = tasks
    this.#topic = inputs[0]?.kind.topic ?? ''
    this.#order = inputs.map(() => new SampleOrder(dedupe, gaps))
    this.#watermark = new Watermark(inputs.length, 0)
    this.#buffer = new ReorderBuffer(decode)
    this.#ledger = new Ledger(inputs.map(({ kind }) => kind))
  }

  get watermark(): EventTime {
    return this.#watermark.current
  }

  get newestTime(): EventTime {
    return this.#watermark.newestOfAll
  }

  get buffered(): number {
    return this.#buffer.size
  }

  /** The joiners have masked what came in wrong; a trainer sees the masks only. */
  get labelHealth(): readonly LabelHealth[] {
    return []
  }

  /** As for their delays. */
  delayCurves(): readonly DelayCurve[] {
    return []
  }

  /** Numbered samples that the topic did not have, over all partitions. */
  get missing(): number {
    return this.#order.reduce((sum, { missing }) => sum + missing, 0)
  }

  maxTime(input: number): EventTime {
    return this.#watermark.newest(input)
  }

  push(records: readonly Decoded[]): IntakeOutputs {
    const outputs = { ...emptyOutputs(), samples: [] as Sample[] }
    for (const record of records) {
      this.#ledger.countIn(record.source.input)
      if (isMalformed(record)) outputs.deadLetters.push(record)
      else if (this.#isNew(record)) {
        this.#watermark.observe(record.source.input, record.time)
        this.#buffer.add(record)
        this.#release(outputs)
      } else outputs.duplicates.push(record)
    }
    return this.#settled(outputs)
  }

  setIdle(input: number, idle: boolean): IntakeOutputs {
    this.#watermark.setIdle(input, idle)
    return this.#progressed()
  }

  finish(input: number): IntakeOutputs {
    this.#watermark.finish(input)
    return this.#progressed()
  }

  accounting(): readonly KindAccounting[] {
    return this.#ledger.accounting(this.#buffer.events)
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(4096).text('sample-intake 1').u32(this.#order.length)
    for (const order of this.#order) order.write(writer)
    writer.bytes(this.#watermark.snapshot()).bytes(this.#buffer.snapshot())
    this.#ledger.write(writer)
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('sample-intake 1')
    const inputs = reader.u32()
    if (inputs !== this.#order.length) {
      throw new MillraceError(
        'CORRUPT',
        `samples of ${inputs} partitions, not ${this.#order.length}`,
      )
    }
    for (const order of this.#order) order.read(reader)
    this.#watermark.restore(reader.bytes())
    this.#buffer.restore(reader.bytes())
    this.#ledger.read(reader)
    reader.end()
  }

  #isNew(event: Event): boolean {
    const { input } = event.source
    const order = this.#order[input]
    if (order !== undefined) return order.isNew(event, this.#topic)
    throw new MillraceError('BAD_STATE', `input ${input} of ${this.#order.length}`)
  }

  #progressed(): IntakeOutputs {
    const outputs = { ...emptyOutputs(), samples: [] as Sample[] }
    this.#release(outputs)
    return this.#settled(outputs)
  }

  #release(outputs: { readonly samples: Sample[]; readonly sampled: Event[] }): void {
    const watermark = this.#watermark.current
    for (let event = this.#buffer.next(watermark); event; event = this.#buffer.next(watermark)) {
      outputs.samples.push(sampleFromEvent(event, this.#tasks))
      outputs.sampled.push(event)
    }
  }

  #settled(outputs: IntakeOutputs): IntakeOutputs {
    this.#ledger.countOut(outputs)
    this.#ledger.check(this.#buffer.size)
    return outputs
  }
}
