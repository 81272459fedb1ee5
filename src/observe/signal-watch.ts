/** @file One signal of one task, block mean by block mean, under the eyes of ADWIN and Page-Hinkley. */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import type { DriftAlarm, DriftDetector, DriftSignal, MeanShift } from '../health.ts'
import type { EventTime } from '../time.ts'
import { Adwin } from './adwin.ts'
import type { DriftOptions } from './drift-options.ts'
import { PageHinkley } from './page-hinkley.ts'

/** Quarter of a standard deviation of a block mean: less is no drift that anybody would act on. */
const PAGE_HINKLEY_DELTA = 0.25
/** Blocks before Page-Hinkley may raise an alarm. */
const PAGE_HINKLEY_LEAST = 30

/** What is watched. */
export interface WatchedSignal {
  readonly task: string
  readonly signal: DriftSignal
  /** A loss that falls is a model that learns: only a rise of it is drift. */
  readonly fallsToo: boolean
}

/** Depends on the values alone, not on how they were cut into batches; an alarm's time is that of the batch that raised it. */
export class SignalWatch {
  readonly watched: WatchedSignal
  readonly #block: number
  readonly #adwin: Adwin
  readonly #rising: PageHinkley
  readonly #falling: PageHinkley
  #sum = 0
  #count = 0
  /** So far. */
  readonly alarms: Record<DriftDetector, number> = { adwin: 0, 'page-hinkley': 0 }

  constructor(watched: WatchedSignal, options: DriftOptions) {
    const test = {
      delta: PAGE_HINKLEY_DELTA,
      threshold: options.page_hinkley_threshold,
      least: PAGE_HINKLEY_LEAST,
    }
    this.watched = watched
    this.#block = options.block
    this.#adwin = new Adwin(options.adwin_delta)
    this.#rising = new PageHinkley(test)
    this.#falling = new PageHinkley(test)
  }

  /** Takes one value; `raised` gets the alarms of a block that it completes. */
  add(value: number, at: EventTime, raised: DriftAlarm[]): void {
    this.#sum += value
    this.#count += 1
    if (this.#count < this.#block) return
    // ADWIN takes [0, 1]: a mean loss above 1 nat is as bad as one of 1.
    this.#addBlock(Math.min(1, this.#sum / this.#count), at, raised)
    this.#sum = 0
    this.#count = 0
  }

  write(writer: ByteWriter): void {
    writer.f64(this.#sum).f64(this.#count)
    writer.f64(this.alarms.adwin).f64(this.alarms['page-hinkley'])
    for (const detector of [this.#adwin, this.#rising, this.#falling]) detector.write(writer)
  }

  read(reader: ByteReader): void {
    this.#sum = reader.f64()
    this.#count = reader.f64()
    this.alarms.adwin = reader.f64()
    this.alarms['page-hinkley'] = reader.f64()
    for (const detector of [this.#adwin, this.#rising, this.#falling]) detector.read(reader)
  }

  #addBlock(mean: number, at: EventTime, raised: DriftAlarm[]): void {
    const cut = this.#adwin.add(mean)
    const rise = this.#rising.add(mean)
    const fall = this.#falling.add(-mean)
    if (cut !== undefined) this.#raise('adwin', cut, at, raised)
    if (rise !== undefined) this.#raise('page-hinkley', rise, at, raised)
    if (fall === undefined) return
    const { before, after } = fall
    this.#raise('page-hinkley', { before: -before, after: -after }, at, raised)
  }

  #raise(detector: DriftDetector, shift: MeanShift, at: EventTime, raised: DriftAlarm[]): void {
    const { task, signal, fallsToo } = this.watched
    if (shift.after < shift.before && !fallsToo) return
    this.alarms[detector] += 1
    raised.push({ task, signal, detector, at, ...shift })
  }
}
