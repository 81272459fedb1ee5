/**
 * @file Do the labels of a task come in as usual? Compares labels with impressions in slices of event time, on the way into the
 * join: an outage is noticed while the impressions that it hit still wait for the end of their window, so a dead pipeline does
 * not teach that nobody clicks. One instance per task.
 */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import type { LabelState } from '../health.ts'
import { END_OF_TIME, type EventTime, START_OF_TIME } from '../time.ts'
import type { GuardOptions } from './options.ts'
import { poissonAtLeast, poissonAtMost } from './poisson.ts'

/** Event time in which labels did not come as usual. */
export interface Anomaly {
  readonly from: EventTime
  /** The end of time while it lasts. */
  readonly to: EventTime
  /** When it was noticed: before that, rows were still learned from. */
  readonly noticed: EventTime
}

/** Slices per window, and how many of them are looked at together at most. */
const SLICES = 8
const RING = 16
/** Lengths of the runs of slices that are tested, shortest first: what is plain is noticed at once. */
const RUNS = [1, 2, 4, 8, 16]
/** Labels that the usual rate must rest on. */
const LEARNED_FROM = 50
/** Chance of a false alarm per test: at a test a second, about one in two weeks for a rate that never moves. */
const UNLIKELY = 1e-6
/** Labels that a run must lead to expect before an anomaly can be called over. */
const RECOVERED_FROM = 10
/** The usual rate has half forgotten after 128 windows. */
const FORGETTING = 0.5 ** (1 / (128 * SLICES))

/**
 * A slice is closed when an event of a later one comes, so the verdicts depend on the events alone. Only slices that have passed
 * all tests and lie two windows back move the usual rate: an outage must not become usual before it is noticed.
 */
export class LabelFlow {
  readonly #sliceMs: number
  readonly #options: GuardOptions
  /** Per slice of the ring; the one that is filled is at `#slice % RING`. */
  readonly #impressions = new Float64Array(RING)
  readonly #labels = new Float64Array(RING)
  #slice = Number.NEGATIVE_INFINITY
  /** Closed slices in the ring. */
  #closed = 0
  #usualImpressions = 0
  #usualLabels = 0
  #state: LabelState = 'warming-up'
  #since: EventTime = START_OF_TIME
  #noticed: EventTime = START_OF_TIME
  #count = 0
  #past: Anomaly[] = []

  constructor(windowMs: number, options: GuardOptions) {
    this.#sliceMs = Math.max(1, windowMs / SLICES)
    this.#options = options
  }

  get state(): LabelState {
    return this.#state
  }

  get since(): EventTime | undefined {
    return this.#isAnomalous ? this.#since : undefined
  }

  /** Anomalies so far. */
  get count(): number {
    return this.#count
  }

  get usualRate(): number {
    return this.#usualImpressions > 0 ? this.#usualLabels / this.#usualImpressions : 0
  }

  impression(time: EventTime): void {
    this.#advance(time)
    this.#impressions[place(this.#slice)]! += 1
  }

  label(time: EventTime): void {
    this.#advance(time)
    this.#labels[place(this.#slice)]! += 1
  }

  /** Whether labels could not be trusted at any moment of [from, to]. */
  isDoubtful(from: EventTime, to: EventTime): boolean {
    return this.#anomalies().some((one) => to >= one.from && from <= one.to)
  }

  /** Whether an anomaly was known at a moment: what left then did not teach. */
  wasFrozen(at: EventTime): boolean {
    return this.#anomalies().some((one) => at >= one.noticed && at <= one.to)
  }

  /** Forgets anomalies that ended before `time`. */
  forget(time: EventTime): void {
    if (this.#past.length > 0) this.#past = this.#past.filter((one) => one.to >= time)
  }

  write(writer: ByteWriter): void {
    writer.array(this.#impressions).array(this.#labels).f64(this.#slice).f64(this.#closed)
    writer.f64(this.#usualImpressions).f64(this.#usualLabels).text(this.#state)
    writer.f64(this.#since).f64(this.#noticed).f64(this.#count).u32(this.#past.length)
    for (const { from, to, noticed } of this.#past) writer.f64(from).f64(to).f64(noticed)
  }

  read(reader: ByteReader): void {
    this.#impressions.set(reader.float64())
    this.#labels.set(reader.float64())
    this.#slice = reader.f64()
    this.#closed = reader.f64()
    this.#usualImpressions = reader.f64()
    this.#usualLabels = reader.f64()
    this.#state = reader.text() as LabelState
    this.#since = reader.f64()
    this.#noticed = reader.f64()
    this.#count = reader.f64()
    this.#past = Array.from({ length: reader.u32() }, () => {
      return { from: reader.f64(), to: reader.f64(), noticed: reader.f64() }
    })
  }

  /** Whether there is a moment at which labels could not be trusted. */
  get remembersAnomalies(): boolean {
    return this.#past.length > 0 || this.#isAnomalous
  }

  get #isAnomalous(): boolean {
    return this.#state === 'outage' || this.#state === 'surge'
  }

  #anomalies(): readonly Anomaly[] {
    if (!this.#isAnomalous) return this.#past
    return [...this.#past, { from: this.#since, to: END_OF_TIME, noticed: this.#noticed }]
  }

  #advance(time: EventTime): void {
    const slice = Math.floor(time / this.#sliceMs)
    if (this.#slice === Number.NEGATIVE_INFINITY) this.#slice = slice
    // A silent night is no row of empty slices: nothing was shown, so nothing can be missing.
    if (slice > this.#slice + RING) this.#skipTo(slice)
    while (this.#slice < slice) this.#close()
  }

  /** Ends the slice that is filled, tests, and starts the next one in the place of the oldest. */
  #close(): void {
    this.#closed = Math.min(RING, this.#closed + 1)
    this.#judge((this.#slice + 1) * this.#sliceMs)
    this.#slice += 1
    const next = place(this.#slice)
    if (this.#closed === RING && !this.#isAnomalous) this.#makeUsual(next)
    this.#impressions[next] = 0
    this.#labels[next] = 0
    if (this.#closed === RING) this.#closed = RING - 1
  }

  #makeUsual(at: number): void {
    this.#usualImpressions = this.#usualImpressions * FORGETTING + this.#impressions[at]!
    this.#usualLabels = this.#usualLabels * FORGETTING + this.#labels[at]!
  }

  #skipTo(slice: number): void {
    this.#impressions.fill(0)
    this.#labels.fill(0)
    this.#closed = 0
    this.#slice = slice
  }

  #judge(now: EventTime): void {
    if (this.#state === 'warming-up') {
      if (this.#usualLabels >= LEARNED_FROM) this.#state = 'flowing'
      return
    }
    if (this.#state === 'flowing') this.#lookForAnomaly(now)
    else this.#lookForEnd(now)
  }

  #lookForAnomaly(now: EventTime): void {
    const { outageBelow, surgeAbove } = this.#options
    for (const run of RUNS) {
      if (run > this.#closed) return
      const { labels, least, most } = this.#run(run)
      const outage = labels < outageBelow * least && poissonAtMost(labels, least) < UNLIKELY
      const surge =
        labels > Math.max(RECOVERED_FROM, surgeAbove * most) &&
        poissonAtLeast(labels, most) < UNLIKELY
      if (!outage && !surge) continue
      this.#state = outage ? 'outage' : 'surge'
      this.#since = now - this.#beginning(run) * this.#sliceMs
      this.#noticed = now
      this.#count += 1
      return
    }
  }

  /** How many slices back it began: the run, and what is before it as long as that is half way there too. */
  #beginning(run: number): number {
    let begin = run
    for (; begin < this.#closed; begin++) {
      const { labels, least, most } = this.#run(begin + 1, begin)
      const odd = this.#state === 'outage' ? labels < least / 2 : labels > most * 1.5
      if (!odd) break
    }
    // It may have begun inside the slice before.
    return begin + 1
  }

  #lookForEnd(now: EventTime): void {
    const sinceNoticed = Math.round((now - this.#noticed) / this.#sliceMs)
    const { outageBelow, surgeAbove, freezeAtMostMs } = this.#options
    const well = RUNS.some((run) => {
      if (run > Math.min(this.#closed, sinceNoticed)) return false
      const { labels, least, most } = this.#run(run)
      if (least < RECOVERED_FROM) return false
      return this.#state === 'outage'
        ? labels > ((1 + outageBelow) / 2) * least
        : labels < ((1 + surgeAbove) / 2) * most
    })
    const lasted = now - this.#since
    if (!well && lasted < freezeAtMostMs) return
    this.#past.push({ from: this.#since, to: now, noticed: this.#noticed })
    this.#state = 'flowing'
    if (well) this.#skipTo(this.#slice)
    // It is no anomaly any more but how things are: the rate is learned anew.
    else this.#startOver()
  }

  #startOver(): void {
    this.#state = 'warming-up'
    this.#usualImpressions = 0
    this.#usualLabels = 0
    this.#skipTo(this.#slice)
  }

  /**
   * Labels of the last `length` closed slices (but the newest `skipped`), and how many to expect at least and at most. Labels lag
   * behind their impressions: by little as a rule, so a quarter of a window is looked back for the least, and a whole one for the
   * most, as the last labels still come when nothing is shown any more.
   */
  #run(length: number, skipped = 0): { labels: number; least: number; most: number } {
    let labels = 0
    for (let back = skipped; back < length; back++) labels += this.#labels[this.#back(back)]!
    let least = Number.POSITIVE_INFINITY
    let most = 0
    for (let shift = 0; shift <= SLICES; shift++) {
      let impressions = 0
      for (let back = skipped; back < length; back++) {
        impressions += this.#impressions[this.#back(Math.min(back + shift, this.#closed - 1))]!
      }
      most = Math.max(most, impressions)
      if (shift <= SLICES / 4) least = Math.min(least, impressions)
    }
    return { labels, least: this.usualRate * least, most: this.usualRate * most }
  }

  /** The place of the slice so many before the newest closed one. */
  #back(slices: number): number {
    return place(this.#slice - slices)
  }
}

function place(slice: number): number {
  return ((slice % RING) + RING) % RING
}
