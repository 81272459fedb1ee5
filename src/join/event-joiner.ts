/** @file Events in, samples out: de-duplicates, judges lateness, restores event-time order and joins, with exact accounting. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import { Deduplicator } from '../events/deduplicate.ts'
import { type Decoded, type DecodeEvent, type Event, isMalformed } from '../events/event.ts'
import type { EventKind } from '../events/event-kind.ts'
import { NameUnits } from '../events/name-units.ts'
import type { DedupeOptions } from '../events/options.ts'
import { ReorderBuffer } from '../events/reorder-buffer.ts'
import { Watermark } from '../events/watermark.ts'
import type { LabelHealth } from '../health.ts'
import { atOnce, type Slices } from '../slices.ts'
import type { Stage } from '../stage.ts'
import { type EventTime, START_OF_TIME } from '../time.ts'
import type { DelayCurve } from './delay-curve.ts'
import { emptyOutputs, type JoinOutputs } from './join-outputs.ts'
import { LabelJoin } from './label-join.ts'
import { type KindAccounting, Ledger } from './ledger.ts'
import type { JoinOptions } from './options.ts'

/** One topic-partition; its place in the list of inputs is the `input` of every event source. */
export interface JoinInput {
  readonly kind: EventKind
  /** Decodes this input's records; restoring a snapshot needs it. */
  readonly decode: DecodeEvent
}

/** What the event path is made of. */
export interface EventJoinerOptions {
  readonly inputs: readonly JoinInput[]
  readonly latenessMs: number
  readonly dedupe: DedupeOptions
  readonly join: JoinOptions
}

/**
 * The event path behind decoding, as one stage. Its outputs, taken together, depend on the order of the events only and
 * not on how they are cut into calls; the samples not even on how the inputs interleave (law 7). After every call the
 * identity of law 5 is checked; BAD_STATE would mean a fault of the program.
 */
export class EventJoiner implements Stage {
  readonly #deduplicator: Deduplicator
  readonly #watermark: Watermark
  readonly #buffer: ReorderBuffer
  readonly #join: LabelJoin
  readonly #ledger: Ledger
  /** The id that is looked at. */
  readonly #id = new NameUnits()
  /** Up to where the buffer has been released. */
  #released: EventTime = START_OF_TIME

  /** BAD_SETTINGS when an input's kind labels no task or a task's kind has no input. */
  constructor({ inputs, latenessMs, dedupe, join }: EventJoinerOptions) {
    const kinds = inputs.map((input) => input.kind)
    checkKinds(kinds, join)
    const decode: DecodeEvent = (raw, source) => inputOf(inputs, source.input).decode(raw, source)
    this.#deduplicator = new Deduplicator(inputs.length, dedupe)
    this.#watermark = new Watermark(inputs.length, latenessMs)
    this.#buffer = new ReorderBuffer(decode)
    this.#join = new LabelJoin(join, decode)
    this.#ledger = new Ledger(kinds)
  }

  /** Every event before it has gone through the join. */
  get watermark(): EventTime {
    return this.#watermark.current
  }

  /** The newest event time seen on an input; -Infinity before the first. */
  maxTime(input: number): EventTime {
    return this.#watermark.newest(input)
  }

  /** The newest event time seen on any input. */
  get newestTime(): EventTime {
    return this.#watermark.newestOfAll
  }

  /** Events that wait for the watermark; grows while one input lags behind the others. */
  get buffered(): number {
    return this.#buffer.size
  }

  /** Impressions that wait for the end of a window. */
  get openImpressions(): number {
    return this.#join.open
  }

  /** Ids that de-duplication remembers. */
  get rememberedIds(): number {
    return this.#deduplicator.size
  }

  /** Who joins has its own samples: none is missing. */
  get missing(): number {
    return 0
  }

  /** How the labels of every task come in; empty without a guard. */
  get labelHealth(): readonly LabelHealth[] {
    return this.#join.health
  }

  /** How long the labels of every task take. O(remembered impressions). */
  delayCurves(): readonly DelayCurve[] {
    return this.#join.delayCurves()
  }

  /** Takes the records of a poll in the order of the journal. A record of a finished input is a BAD_STATE error. */
  push(records: readonly Decoded[]): JoinOutputs {
    const outputs = emptyOutputs()
    for (const record of records) {
      this.#ledger.countIn(record.source.input)
      if (isMalformed(record)) outputs.deadLetters.push(record)
      else this.#take(record, outputs)
    }
    return this.#settled(outputs)
  }

  /** An idle input does not hold the watermark back; its next event wakes it. */
  setIdle(input: number, idle: boolean): JoinOutputs {
    this.#watermark.setIdle(input, idle)
    return this.#progressed()
  }

  /** Nothing more will come from this input; after the last one everything that is open leaves. */
  finish(input: number): JoinOutputs {
    this.#watermark.finish(input)
    return this.#progressed()
  }

  /** Finishes every input. */
  flush(): JoinOutputs {
    this.#watermark.finishAll()
    return this.#progressed()
  }

  /** Where the records of every kind went so far, checked; O(open events). */
  accounting(): readonly KindAccounting[] {
    return this.#ledger.accounting([...this.#buffer.events, ...this.#join.openEvents()])
  }

  snapshot(): Uint8Array {
    return atOnce(this.snapshotting())
  }

  *snapshotting(): Slices<Uint8Array> {
    const writer = new ByteWriter(65_536).text('event-joiner 1')
    for (const stage of this.#stages()) {
      writer.bytes(stage.snapshot())
      yield
    }
    this.#ledger.write(writer)
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('event-joiner 1')
    for (const stage of this.#stages()) stage.restore(reader.bytes())
    this.#ledger.read(reader)
    reader.end()
    this.#released = this.#watermark.current
  }

  #stages(): readonly Stage[] {
    return [this.#deduplicator, this.#watermark, this.#buffer, this.#join]
  }

  #take(event: Event, outputs: JoinOutputs): void {
    const { input } = event.source
    if (!this.#deduplicator.isNew(input, this.#id.idOf(event), event.time)) {
      outputs.duplicates.push(event)
      return
    }
    const verdict = this.#watermark.observe(input, event.time)
    if (verdict === 'on-time') this.#buffer.add(event)
    else outputs.late.push({ event, reason: verdict })
    // At once, not at the end of the poll: the order of the late output would otherwise tell where polls were cut.
    this.#release(outputs)
  }

  #progressed(): JoinOutputs {
    const outputs = emptyOutputs()
    this.#release(outputs)
    return this.#settled(outputs)
  }

  #release(outputs: JoinOutputs): void {
    const watermark = this.#watermark.current
    if (watermark === this.#released) return
    for (let event = this.#buffer.next(watermark); event; event = this.#buffer.next(watermark)) {
      this.#join.push(event, outputs)
    }
    this.#join.advance(watermark, outputs)
    this.#released = watermark
  }

  #settled(outputs: JoinOutputs): JoinOutputs {
    this.#ledger.countOut(outputs)
    this.#ledger.check(this.#buffer.size + this.#join.open)
    return outputs
  }
}

function inputOf(inputs: readonly JoinInput[], input: number): JoinInput {
  const found = inputs[input]
  if (found !== undefined) return found
  throw new MillraceError('CORRUPT', `input ${input} of ${inputs.length}`)
}

/** Every feedback kind must label something, and every task must get its labels from somewhere. */
function checkKinds(kinds: readonly EventKind[], { tasks }: JoinOptions): void {
  for (const { kind, anchor, erases } of kinds) {
    if (anchor || erases !== undefined || tasks.some((task) => task.kind === kind)) continue
    throw new MillraceError('BAD_SETTINGS', `no task learns from the events of kind ${kind}`, {
      remedy: `add a task with kind: ${kind}, or take the kind out of the events`,
    })
  }
  for (const { name, kind } of tasks) {
    if (kinds.some((input) => input.kind === kind && !input.anchor)) continue
    throw new MillraceError('BAD_SETTINGS', `task ${name} needs events of kind ${kind}`, {
      remedy: `declare the kind ${kind} without anchor, or name another kind in the task`,
    })
  }
}
