/** @file The impressions that the join knows: a queue in columns, found by key, with cursors in place of timers. */

import type { Event } from '../events/event.ts'
import { hash32 } from '../events/id-hash.ts'
import { NameUnits } from '../events/name-units.ts'
import { SlotIndex } from '../events/slot-index.ts'
import { END_OF_TIME, type EventTime } from '../time.ts'
import { KeyRing } from './key-ring.ts'

const SMALLEST = 64

/** An impression outside the queue, as snapshots have it. */
export interface KnownImpression {
  /** Undefined while it is open: then its event has it. Empty when it is closed and not found any more. */
  readonly key: string | undefined
  /** Whether feedback finds it: not when a later impression has its key, also not when that one is erased. */
  readonly found: boolean
  readonly time: EventTime
  /** Undefined once closed: then only the key is remembered. */
  readonly event: Event | undefined
  readonly labels: Float64Array
  /** Per task the delay of the first label, ms; -1: none so far. */
  readonly delaysMs: Float64Array
}

/**
 * Impressions come in time order. Each passes the same points, `delaysMs` (ascending) after its own time, and is
 * forgotten at the last; so all pass a point in the order in which they came, and a cursor per point replaces a timer per
 * impression. A slot names an impression from `push` until it is forgotten or the queue grows.
 */
export class KnownImpressions {
  readonly #delaysMs: Float64Array
  readonly #tasks: number
  /** Power of two; the n-th oldest impression is in slot (first + n) & (capacity - 1). */
  #capacity = 0
  #times = new Float64Array()
  #labels = new Float64Array()
  #delaysPast = new Float64Array()
  #keys = new KeyRing()
  #keyAt = new Float64Array()
  #keyLength = new Uint32Array()
  #events: (Event | undefined)[] = []
  #index = new SlotIndex(1)
  #first = 0
  #size = 0
  /** Per point: how many impressions of the queue have passed it. */
  readonly #passed: Uint32Array
  #nextAt: EventTime = END_OF_TIME
  #nextPoint = 0
  /** The key that is looked at. */
  readonly #key = new NameUnits()

  constructor(delaysMs: readonly number[], tasks: number) {
    this.#delaysMs = Float64Array.from(delaysMs)
    this.#tasks = tasks
    this.#passed = new Uint32Array(delaysMs.length)
    this.#allocate(SMALLEST)
  }

  /** When the next impression passes a point: its own time plus the point's delay. The end of time if there is none. */
  get nextAt(): EventTime {
    return this.#nextAt
  }

  /** The point that is passed next; of several at the same time the one with the smallest delay. */
  get nextPoint(): number {
    return this.#nextPoint
  }

  /** How many impressions have not passed a point yet. */
  ahead(point: number): number {
    return this.#size - this.#passed[point]!
  }

  push(event: Event): void {
    this.#indexed(this.#append(this.#key.keyOf(event), event.time, event))
    this.#lookAhead()
  }

  /** The slot of the latest impression with the key of this event; -1 if there is none. */
  latest(event: Event): number {
    const key = this.#key.keyOf(event)
    return this.#index.slotAt(this.#find(key, hash32(key)))
  }

  timeOf(slot: number): EventTime {
    return this.#times[slot]!
  }

  /** Undefined for a closed impression. */
  eventOf(slot: number): Event | undefined {
    return this.#events[slot]
  }

  /** The label of a task becomes the larger of itself and `value`. */
  raiseLabel(slot: number, task: number, value: number): void {
    const at = slot * this.#tasks + task
    if (value > this.#labels[at]!) this.#labels[at] = value
  }

  labelOf(slot: number, task: number): number {
    return this.#labels[slot * this.#tasks + task]!
  }

  /** Takes note of the first label of a task, also one that comes too late to count. */
  noteDelay(slot: number, task: number, delayMs: number): void {
    const at = slot * this.#tasks + task
    if (this.#delaysPast[at]! < 0) this.#delaysPast[at] = delayMs
  }

  /** The delay per task of the impression that passes next; -1 where there was none. */
  nextDelayMs(task: number): number {
    const slot = this.#slot(this.#passed[this.#nextPoint]!)
    return this.#delaysPast[slot * this.#tasks + task]!
  }

  /** The labels so far, 0 where the mask is 0; the caller owns them. */
  labelsOf(slot: number, mask: Uint8Array): Float32Array {
    const labels = new Float32Array(this.#tasks)
    const from = slot * this.#tasks
    for (let task = 0; task < labels.length; task++) {
      labels[task] = this.#labels[from + task]! * mask[task]!
    }
    return labels
  }

  /** Drops what only an open impression needs. */
  close(slot: number): void {
    this.#events[slot] = undefined
  }

  /** Closes the impressions for which this holds and forgets their keys; the events of those that were open. */
  erase(isErased: (key: string, event: Event | undefined) => boolean): Event[] {
    const erased: Event[] = []
    for (let n = 0; n < this.#size; n++) {
      const slot = this.#slot(n)
      const event = this.#events[slot]
      if (!isErased(this.#keyText(slot), event)) continue
      if (event !== undefined) erased.push(event)
      this.#index.remove(slot)
      // Its place in the queue stays, under a key that no event has.
      this.#keyLength[slot] = 0
      this.#events[slot] = undefined
    }
    return erased
  }

  /** Lets the next impression pass the next point; gives its slot, or -1 at the last point, where it is forgotten. */
  pass(): number {
    const point = this.#nextPoint
    const slot = this.#slot(this.#passed[point]!++)
    const forgotten = point === this.#passed.length - 1
    if (forgotten) this.#forget(slot)
    this.#lookAhead()
    return forgotten ? -1 : slot
  }

  /** The events of the impressions that are not closed, oldest first. */
  openEvents(): Event[] {
    const events: Event[] = []
    for (let n = 0; n < this.#size; n++) {
      const event = this.#events[this.#slot(n)]
      if (event !== undefined) events.push(event)
    }
    return events
  }

  /** The impressions from the oldest on. */
  *remembered(): Generator<KnownImpression> {
    for (let n = 0; n < this.#size; n++) {
      const slot = this.#slot(n)
      const labels = this.#labels.slice(slot * this.#tasks, (slot + 1) * this.#tasks)
      const delaysMs = this.#delaysPast.slice(slot * this.#tasks, (slot + 1) * this.#tasks)
      const event = this.#events[slot]
      const found = this.#index.has(slot)
      const name = found ? this.#keyText(slot) : ''
      const key = event === undefined ? name : undefined
      yield { key, time: this.timeOf(slot), event, found, labels, delaysMs }
    }
  }

  /** Replaces the content. `ahead`: for each point how many of the impressions have not passed it. */
  reset(impressions: readonly KnownImpression[], ahead: readonly number[]): void {
    this.#allocate(SMALLEST)
    this.#keys = new KeyRing()
    for (const impression of impressions) this.#put(impression)
    for (const [point, count] of ahead.entries()) this.#passed[point] = this.#size - count
    this.#lookAhead()
  }

  #append(key: NameUnits, time: EventTime, event: Event | undefined): number {
    if (this.#size === this.#capacity) this.#grow()
    const slot = this.#slot(this.#size++)
    this.#times[slot] = time
    this.#keyAt[slot] = this.#keys.add(key)
    this.#keyLength[slot] = key.length
    this.#events[slot] = event
    for (let at = slot * this.#tasks, end = at + this.#tasks; at < end; at++) {
      this.#labels[at] = 0
      this.#delaysPast[at] = -1
    }
    return slot
  }

  /** Lets an impression be found by the key that is looked at. */
  #indexed(slot: number): void {
    const hash = hash32(this.#key)
    this.#index.put(this.#find(this.#key, hash), slot, hash)
  }

  /** The index place of the key's latest impression, or the empty one where it belongs. */
  #find(key: NameUnits, hash: number): number {
    let place = this.#index.home(hash)
    for (let slot = this.#index.slotAt(place); slot >= 0; slot = this.#index.slotAt(place)) {
      // Hashes first: a look at another impression's key is a cache miss more often than not.
      if (this.#index.hashOf(slot) === hash && this.#keyLength[slot] === key.length) {
        if (this.#keys.holds(this.#keyAt[slot]!, key)) return place
      }
      place = this.#index.after(place)
    }
    return place
  }

  #keyText(slot: number): string {
    return this.#keys.text(this.#keyAt[slot]!, this.#keyLength[slot]!)
  }

  #forget(slot: number): void {
    this.#index.remove(slot)
    this.#events[slot] = undefined
    this.#first = this.#slot(1)
    this.#size--
    this.#keys.forgetBefore(this.#size === 0 ? this.#keys.next : this.#keyAt[this.#first]!)
    for (let point = 0; point < this.#passed.length; point++) this.#passed[point]!--
  }

  #lookAhead(): void {
    this.#nextAt = END_OF_TIME
    for (let point = 0; point < this.#passed.length; point++) {
      if (this.#passed[point] === this.#size) continue
      const at = this.#times[this.#slot(this.#passed[point]!)]! + this.#delaysMs[point]!
      if (at >= this.#nextAt) continue
      this.#nextAt = at
      this.#nextPoint = point
    }
  }

  /** Twice the columns, unrolled: the oldest impression gets slot 0. */
  #grow(): void {
    const [times, events] = [this.#times, this.#events]
    const [keyAt, keyLength] = [this.#keyAt, this.#keyLength]
    const [labels, delaysPast, index] = [this.#labels, this.#delaysPast, this.#index]
    const [first, size, tasks] = [this.#first, this.#size, this.#tasks]
    this.#allocate(size * 2)
    this.#size = size
    for (let n = 0; n < size; n++) {
      const slot = (first + n) & (size - 1)
      this.#times[n] = times[slot]!
      this.#keyAt[n] = keyAt[slot]!
      this.#keyLength[n] = keyLength[slot]!
      this.#events[n] = events[slot]
      for (let task = 0; task < tasks; task++) {
        this.#labels[n * tasks + task] = labels[slot * tasks + task]!
        this.#delaysPast[n * tasks + task] = delaysPast[slot * tasks + task]!
      }
      // One whose key a later impression has, or that was erased, is not found any more.
      if (!index.has(slot)) continue
      const hash = index.hashOf(slot)
      this.#index.put(this.#index.free(hash), n, hash)
    }
  }

  #put({ key, time, event, found, labels, delaysMs }: KnownImpression): void {
    const name = event === undefined ? this.#key.clear().text(key ?? '') : this.#key.keyOf(event)
    // First the slot: making room for it may replace the columns.
    const slot = this.#append(name, time, event)
    if (found) this.#indexed(slot)
    this.#labels.set(labels, slot * this.#tasks)
    this.#delaysPast.set(delaysMs, slot * this.#tasks)
  }

  #allocate(capacity: number): void {
    this.#capacity = capacity
    this.#times = new Float64Array(capacity)
    this.#labels = new Float64Array(capacity * this.#tasks)
    this.#delaysPast = new Float64Array(capacity * this.#tasks)
    this.#keyAt = new Float64Array(capacity)
    this.#keyLength = new Uint32Array(capacity)
    this.#events = new Array<Event | undefined>(capacity).fill(undefined)
    this.#index = new SlotIndex(capacity)
    this.#first = 0
    this.#size = 0
  }

  #slot(n: number): number {
    return (this.#first + n) & (this.#capacity - 1)
  }
}
