/** @file The label join: impressions and feedback in event-time order become rows of labels, each task in its own window. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { DecodeEvent, Event } from '../events/event.ts'
import { NameUnits } from '../events/name-units.ts'
import type { LabelHealth } from '../health.ts'
import type { Stage } from '../stage.ts'
import { type EventTime, START_OF_TIME } from '../time.ts'
import type { DelayCurve } from './delay-curve.ts'
import type { JoinedSample, JoinOutputs } from './join-outputs.ts'
import { erasureRow, fastLabels, LATE_POSITIVE, POSITIVE, rowOf } from './joined-rows.ts'
import { countsIn, readKnown, writeKnown } from './known-bytes.ts'
import { KnownImpressions } from './known-impressions.ts'
import { LabelWatch } from './label-watch.ts'
import { type Maturity, maturitiesOf } from './maturity.ts'
import { isOpened } from './opened.ts'
import { type JoinOptions, longestWindowMs } from './options.ts'

/** A task by its place in the job and how long it waits for its label. */
interface TaskWindow {
  readonly task: number
  readonly windowMs: number
}

const NO_WINDOWS: readonly TaskWindow[] = []

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
  readonly #firstActionOpens: boolean
  readonly #erasure: JoinOptions['erasure']
  readonly #none: Uint8Array
  readonly #all: Uint8Array
  /** For each kind of feedback the tasks that it labels. */
  readonly #windows = new Map<string, readonly TaskWindow[]>()
  readonly #maturities: readonly Maturity[]
  readonly #nextDelayMs = (task: number): number => this.#known.nextDelayMs(task)
  readonly #decode: DecodeEvent
  readonly #watch: LabelWatch
  /** Its points are the maturities and, last, when the key is forgotten. */
  readonly #known: KnownImpressions
  /** The id that is looked at. */
  readonly #id = new NameUnits()
  /** Erased impressions that would have had rows to give. */
  #erasedAhead = 0
  #now: EventTime = START_OF_TIME

  /** `decode` turns the raw bytes of a snapshot back into events. */
  constructor(options: JoinOptions, decode: DecodeEvent) {
    const { tasks, emission, retentionMs, observeMs = 0, openedShare = 0 } = options
    this.#firstActionOpens = options.firstActionOpens === true
    this.#erasure = options.erasure
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
    this.#watch = new LabelWatch(options, rememberedMs)
    const maturitiesMs = this.#maturities.map((maturity) => maturity.afterMs)
    this.#known = new KnownImpressions([...maturitiesMs, rememberedMs], tasks.length)
  }

  /** Impressions that still have rows to give. */
  get open(): number {
    return this.#known.ahead(this.#maturities.length - 1) - this.#erasedAhead
  }

  /** Impressions whose keys are remembered, open ones included. */
  get known(): number {
    return this.#known.ahead(this.#maturities.length)
  }

  /** The events of the open impressions, oldest first. */
  openEvents(): readonly Event[] {
    return this.#known.openEvents()
  }

  /** How the labels of every task come in; empty without a guard. */
  get health(): readonly LabelHealth[] {
    return this.#watch.health
  }

  /** How long the labels of every task take. O(remembered impressions). */
  delayCurves(): readonly DelayCurve[] {
    const now = this.#now
    const open = Array.from(this.#known.remembered(), ({ time, delaysMs }) => {
      return { ageMs: Math.max(0, now - time), delaysMs }
    })
    return this.#watch.curves(open)
  }

  /** Takes the next event; BAD_STATE when its time has already been passed. */
  push(event: Event, outputs: JoinOutputs): void {
    if (event.time < this.#now) {
      throw new MillraceError('BAD_STATE', `event at ${event.time} joined after ${this.#now}`)
    }
    this.advance(event.time, outputs)
    if (event.anchor) this.#open(event, outputs)
    else if (this.#erasure?.kind === event.kind) this.#erase(event, this.#erasure, outputs)
    else if (this.#firstActionOpens && this.#known.latest(event) < 0) this.#openBy(event)
    else this.#label(event, outputs)
  }

  /** Lets everything happen that is due before `time`; no event before it may follow. */
  advance(time: EventTime, outputs: JoinOutputs): void {
    while (this.#known.nextAt < time) this.#passNext(outputs)
    if (time > this.#now) this.#now = time
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(4096).text('label-join 2').f64(this.#now)
    const ahead = [...this.#maturities, undefined].map((_, point) => this.#known.ahead(point))
    writer.json(ahead)
    this.#watch.write(writer)
    for (const impression of this.#known.remembered()) writeKnown(writer, impression)
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('label-join 2')
    const now = reader.f64()
    const ahead = countsIn(reader.json())
    if (ahead.length !== this.#maturities.length + 1) {
      throw new MillraceError('CORRUPT', 'a label join with other windows or another emission', {
        remedy: 'restore with the tasks and the emission that the snapshot was taken with',
      })
    }
    this.#watch.read(reader)
    const impressions = Array.from({ length: ahead.at(-1) ?? 0 }, () =>
      readKnown(reader, this.#tasks, this.#decode),
    )
    reader.end()
    this.#known.reset(impressions, ahead)
    const notPassed = impressions.slice(impressions.length - (ahead.at(-2) ?? 0))
    this.#erasedAhead = notPassed.filter((impression) => impression.event === undefined).length
    this.#now = now
  }

  #open(event: Event, outputs: JoinOutputs): void {
    this.#known.push(event)
    this.#watch.impression(event.time)
    if (!this.#fast && this.#openedShare === 0) return
    const nothing = { maturedAt: event.time, mask: this.#none, late: this.#none }
    const labels = new Float32Array(this.#tasks)
    if (this.#fast && this.#observeMs === 0) {
      const learned = this.#watch.trusted(this.#all)
      outputs.samples.push(rowOf(event, { role: 'provisional', labels, learned, ...nothing }))
    } else if (isOpened(this.#id.idOf(event), this.#openedShare)) {
      const role = 'opened'
      outputs.samples.push(rowOf(event, { role, labels, learned: this.#none, ...nothing }))
    }
  }

  /** The first action on a pair: it is what it labels, and counts once, when its sample leaves. */
  #openBy(event: Event): void {
    this.#known.push(event)
    this.#watch.impression(event.time)
    const slot = this.#known.latest(event)
    this.#noteDelay(slot, event)
    this.#raise(slot, event)
  }

  /** Sets the labels of the tasks whose window the event is inside of; whether there were any. */
  #raise(slot: number, event: Event): boolean {
    const inside = this.#windowsOf(slot, event)
    for (const { task } of inside) {
      const first = event.value > 0 && this.#known.labelOf(slot, task) === 0
      if (first) this.#watch.label(task, event.time)
      if (!this.#fast) this.#known.raiseLabel(slot, task, event.value)
    }
    return inside.length > 0
  }

  #label(event: Event, outputs: JoinOutputs): void {
    const slot = this.#known.latest(event)
    if (slot < 0) {
      outputs.orphans.push(event)
      return
    }
    const impression = this.#known.eventOf(slot)
    this.#noteDelay(slot, event)
    if (impression === undefined || !this.#raise(slot, event)) {
      outputs.late.push({ event, reason: 'after-window' })
      return
    }
    if (this.#fast) this.#turnPositive(slot, impression, event, outputs)
    outputs.joined.push({ event, impression })
  }

  /** Nothing more comes of the user's open impressions; feedback on them is an orphan from now on. */
  #erase(event: Event, { userField }: { readonly userField: string }, outputs: JoinOutputs): void {
    const user = event.key
    const dropped = this.#known.erase(
      (key, impression) =>
        key.startsWith(`${user}\u0000`) || String(impression?.fields[userField] ?? '') === user,
    )
    this.#erasedAhead += dropped.length
    outputs.erased.push(...dropped)
    outputs.sampled.push(event)
    outputs.samples.push(erasureRow(event, dropped, this.#none))
  }

  #noteDelay(slot: number, { kind, time, value }: Event): void {
    if (!(value > 0)) return
    const delayMs = time - this.#known.timeOf(slot)
    for (const { task } of this.#windowsOfKind(kind)) this.#known.noteDelay(slot, task, delayMs)
  }

  /** The tasks of the event's kind whose window it is inside of. */
  #windowsOf(slot: number, { kind, time }: Event): readonly TaskWindow[] {
    const impressionTime = this.#known.timeOf(slot)
    const windows = this.#windowsOfKind(kind)
    // The same sum as in the queue: a rounded difference could disagree with it about the window's last instant.
    if (windows.every(({ windowMs }) => time <= impressionTime + windowMs)) return windows
    return windows.filter(({ windowMs }) => time <= impressionTime + windowMs)
  }

  #windowsOfKind(kind: string): readonly TaskWindow[] {
    return this.#windows.get(kind) ?? NO_WINDOWS
  }

  /** Labels that turn positive; after the provisional row that gives a row of its own. */
  #turnPositive(slot: number, impression: Event, event: Event, outputs: JoinOutputs): void {
    if (!(event.value > 0)) return
    const late = event.time > impression.time + this.#observeMs || this.#observeMs === 0
    const learned = new Uint8Array(this.#tasks)
    for (const { task } of this.#windowsOf(slot, event)) {
      if (this.#known.labelOf(slot, task) > 0) continue
      this.#known.raiseLabel(slot, task, late ? LATE_POSITIVE : POSITIVE)
      // A row that did not teach its negative has nothing to be corrected.
      learned[task] = this.#watch.wasFrozen(task, impression.time + this.#observeMs) ? 0 : 1
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
    if (point === this.#maturities.length) this.#watch.followed(this.#nextDelayMs)
    const slot = this.#known.pass()
    const event = slot < 0 ? undefined : this.#known.eventOf(slot)
    const maturity = this.#maturities[point]
    if (maturity === undefined) return
    if (event === undefined) {
      if (point === this.#maturities.length - 1) this.#erasedAhead -= 1
      return
    }
    outputs.samples.push(this.#rowAt(maturity, slot, event, maturedAt))
    if (point < this.#maturities.length - 1) return
    outputs.sampled.push(event)
    this.#known.close(slot)
  }

  #rowAt(maturity: Maturity, slot: number, event: Event, maturedAt: EventTime): JoinedSample {
    const { role } = maturity
    const found = this.#known.labelsOf(slot, maturity.mask)
    if (role === 'provisional') {
      const learned = this.#watch.trusted(maturity.mask)
      const unknown = { mask: this.#none, late: this.#none }
      return rowOf(event, {
        role,
        maturedAt,
        labels: fastLabels(found).labels,
        learned,
        ...unknown,
      })
    }
    const mask = this.#watch.known(maturity.mask, event.time)
    if (role === 'final') {
      return rowOf(event, { role, maturedAt, labels: found, mask, learned: mask, late: this.#none })
    }
    const { labels, late } = fastLabels(found)
    return rowOf(event, { role, maturedAt, labels, mask, learned: this.#none, late })
  }
}
