/** @file The label join: impressions and feedback in event-time order become rows of labels, each task in its own window. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { DecodeEvent, Event } from '../events/event.ts'
import { readEvent, writeEvent } from '../events/reorder-buffer.ts'
import type { Stage } from '../stage.ts'
import { type EventTime, START_OF_TIME } from '../time.ts'
import type { JoinedSample, JoinOutputs } from './join-outputs.ts'
import { fastLabels, LATE_POSITIVE, POSITIVE, rowOf } from './joined-rows.ts'
import { type KnownImpression, KnownImpressions } from './known-impressions.ts'
import { type Maturity, maturitiesOf } from './maturity.ts'
import { isOpened } from './opened.ts'
import { type JoinOptions, longestWindowMs } from './options.ts'

/** A task by its place in the job and how long it waits for its label. */
interface TaskWindow {
  readonly task: number
  readonly windowMs: number
}

/**
 * Takes events in total order (`compareEvents`). Feedback labels the latest impression with its key, if it comes no later
 * than its task's window; the end of a window belongs to it. Feedback of the same kind again keeps the larger label; with
 * `fast` emission a label is whether there was feedback with a value above 0.
 * What leaves, and in which order, depends on event times alone (laws 2 and 7).
 */
export class LabelJoin implements Stage {
  readonly #tasks: number
  readonly #fast: boolean
  readonly #observeMs: number
  readonly #openedShare: number
  readonly #none: Uint8Array
  readonly #all: Uint8Array
  /** For each kind of feedback the tasks that it labels. */
  readonly #windows = new Map<string, readonly TaskWindow[]>()
  readonly #maturities: readonly Maturity[]
  readonly #decode: DecodeEvent
  /** Its points are the maturities and, last, when the key is forgotten. */
  readonly #known: KnownImpressions
  #now: EventTime = START_OF_TIME

  /** `decode` turns the raw bytes of a snapshot back into events. */
  constructor(options: JoinOptions, decode: DecodeEvent) {
    const { tasks, emission, retentionMs, observeMs = 0, openedShare = 0 } = options
    this.#tasks = tasks.length
    this.#fast = emission === 'fast'
    this.#observeMs = observeMs
    this.#openedShare = openedShare
    this.#none = new Uint8Array(tasks.length)
    this.#all = new Uint8Array(tasks.length).fill(1)
    this.#decode = decode
    for (const [task, { kind, windowMs }] of tasks.entries()) {
      this.#windows.set(kind, [...(this.#windows.get(kind) ?? []), { task, windowMs }])
    }
    this.#maturities = maturitiesOf(options)
    const rememberedMs = longestWindowMs(tasks) + retentionMs
    const maturitiesMs = this.#maturities.map((maturity) => maturity.afterMs)
    this.#known = new KnownImpressions([...maturitiesMs, rememberedMs], tasks.length)
  }

  /** Impressions that still have rows to give. */
  get open(): number {
    return this.#known.ahead(this.#maturities.length - 1)
  }

  /** Impressions whose keys are remembered, open ones included. */
  get known(): number {
    return this.#known.ahead(this.#maturities.length)
  }

  /** The events of the open impressions, oldest first. */
  openEvents(): readonly Event[] {
    const events: Event[] = []
    for (const { event } of this.#known.remembered()) if (event !== undefined) events.push(event)
    return events
  }

  /** Takes the next event; BAD_STATE when its time has already been passed. */
  push(event: Event, outputs: JoinOutputs): void {
    if (event.time < this.#now) {
      throw new MillraceError('BAD_STATE', `event at ${event.time} joined after ${this.#now}`)
    }
    this.advance(event.time, outputs)
    if (event.anchor) this.#open(event, outputs)
    else this.#label(event, outputs)
  }

  /** Lets everything happen that is due before `time`; no event before it may follow. */
  advance(time: EventTime, outputs: JoinOutputs): void {
    while (this.#known.nextAt < time) this.#passNext(outputs)
    if (time > this.#now) this.#now = time
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(4096).text('label-join 1').f64(this.#now)
    const ahead = [...this.#maturities, undefined].map((_, point) => this.#known.ahead(point))
    writer.json(ahead)
    for (const { key, time, event, labels } of this.#known.remembered()) {
      if (event === undefined) writer.u8(0).text(key).f64(time)
      else writeEvent(writer.u8(1).array(labels), event)
    }
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('label-join 1')
    const now = reader.f64()
    const ahead = countsIn(reader.json())
    if (ahead.length !== this.#maturities.length + 1) {
      throw new MillraceError('CORRUPT', 'a label join with other windows or another emission', {
        remedy: 'restore with the tasks and the emission that the snapshot was taken with',
      })
    }
    const impressions: KnownImpression[] = []
    for (let left = ahead.at(-1) ?? 0; left > 0; left--) {
      impressions.push(this.#readImpression(reader))
    }
    reader.end()
    this.#known.reset(impressions, ahead)
    this.#now = now
  }

  #open(event: Event, outputs: JoinOutputs): void {
    this.#known.push(event)
    const nothing = { maturedAt: event.time, mask: this.#none, late: this.#none }
    const labels = new Float32Array(this.#tasks)
    if (this.#fast && this.#observeMs === 0) {
      const role = 'provisional'
      outputs.samples.push(rowOf(event, { role, labels, learned: this.#all, ...nothing }))
    } else if (isOpened(event.id, this.#openedShare)) {
      const role = 'opened'
      outputs.samples.push(rowOf(event, { role, labels, learned: this.#none, ...nothing }))
    }
  }

  #label(event: Event, outputs: JoinOutputs): void {
    const slot = this.#known.latest(event.key)
    if (slot < 0) {
      outputs.orphans.push(event)
      return
    }
    const impression = this.#known.eventOf(slot)
    const inside = impression === undefined ? [] : this.#windowsOf(slot, event)
    if (impression === undefined || inside.length === 0) {
      outputs.late.push({ event, reason: 'after-window' })
      return
    }
    if (this.#fast) this.#turnPositive(slot, impression, event, outputs)
    else for (const { task } of inside) this.#known.raiseLabel(slot, task, event.value)
    outputs.joined.push({ event, impressionId: impression.id })
  }

  /** The tasks of the event's kind whose window it is inside of. */
  #windowsOf(slot: number, { kind, time }: Event): readonly TaskWindow[] {
    const impressionTime = this.#known.timeOf(slot)
    const windows = this.#windows.get(kind) ?? []
    // The same sum as in the queue: a rounded difference could disagree with it about the window's last instant.
    if (windows.every(({ windowMs }) => time <= impressionTime + windowMs)) return windows
    return windows.filter(({ windowMs }) => time <= impressionTime + windowMs)
  }

  /** Labels that turn positive; after the provisional row that gives a row of its own. */
  #turnPositive(slot: number, impression: Event, event: Event, outputs: JoinOutputs): void {
    if (!(event.value > 0)) return
    const late = event.time > impression.time + this.#observeMs || this.#observeMs === 0
    const learned = new Uint8Array(this.#tasks)
    for (const { task } of this.#windowsOf(slot, event)) {
      if (this.#known.labelOf(slot, task) > 0) continue
      this.#known.raiseLabel(slot, task, late ? LATE_POSITIVE : POSITIVE)
      learned[task] = 1
    }
    if (!late || !learned.includes(1)) return
    const labels = Float32Array.from(learned)
    const known = { mask: this.#none, late: learned, maturedAt: event.time }
    outputs.samples.push(rowOf(impression, { role: 'late-positive', labels, learned, ...known }))
  }

  /** An impression passes a point: a row of it leaves, or it is forgotten. */
  #passNext(outputs: JoinOutputs): void {
    const maturedAt = this.#known.nextAt
    const point = this.#known.nextPoint
    const slot = this.#known.pass()
    const event = slot < 0 ? undefined : this.#known.eventOf(slot)
    const maturity = this.#maturities[point]
    if (event === undefined || maturity === undefined) return
    outputs.samples.push(this.#rowAt(maturity, slot, event, maturedAt))
    if (point < this.#maturities.length - 1) return
    outputs.sampled.push(event)
    this.#known.close(slot)
  }

  #rowAt({ role, mask }: Maturity, slot: number, event: Event, maturedAt: EventTime): JoinedSample {
    const found = this.#known.labelsOf(slot, mask)
    if (role === 'final') {
      return rowOf(event, { role, maturedAt, labels: found, mask, learned: mask, late: this.#none })
    }
    const { labels, late } = fastLabels(found)
    if (role === 'matured') {
      return rowOf(event, { role, maturedAt, labels, mask, learned: this.#none, late })
    }
    const unknown = { mask: this.#none, late: this.#none }
    return rowOf(event, { role, maturedAt, labels, learned: mask, ...unknown })
  }

  #readImpression(reader: ByteReader): KnownImpression {
    if (reader.u8() === 0) {
      const key = reader.text()
      const labels = new Float64Array(this.#tasks)
      return { key, time: reader.f64(), event: undefined, labels }
    }
    const labels = reader.float64()
    const event = readEvent(reader, this.#decode)
    if (labels.length !== this.#tasks) {
      throw new MillraceError('CORRUPT', `${labels.length} labels for ${this.#tasks} tasks`)
    }
    return { key: event.key, time: event.time, event, labels }
  }
}

/** Narrows the counts of a snapshot: of the impressions that are remembered, none can be counted twice. */
function countsIn(value: unknown): number[] {
  const most: unknown = Array.isArray(value) ? value.at(-1) : undefined
  const isCount = (count: unknown): boolean =>
    Number.isSafeInteger(count) && Number(count) >= 0 && Number(count) <= Number(most)
  if (Array.isArray(value) && value.every(isCount)) return value
  throw new MillraceError('CORRUPT', 'expected a list of counts')
}
