/**
 * @file How long labels take: per task the delays of first labels, and what share of them a window loses. Impressions are the
 * subjects, a label is the event, an impression that is still open is censored at its age (Kaplan and Meier 1958), so that the
 * youngest do not make labels look faster than they are. Beyond the time that keys are remembered nothing can be known.
 */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'

/** Delays of one task that were seen, as a step function. */
export interface DelayCurve {
  readonly task: string
  /** Up to where delays are known: how long keys are remembered. */
  readonly horizonMs: number
  /** Impressions with a label of the task. */
  readonly labels: number
  /** Upper ends of the steps, ascending, ms, and the share of the labels within the horizon that come no later. */
  readonly untilMs: readonly number[]
  readonly arrived: readonly number[]
}

/** Steps per doubling of the delay: a bin is 9 % wide. */
const PER_OCTAVE = 8

/** One impression that is still remembered. */
export interface OpenSubject {
  readonly ageMs: number
  /** Delay of the first label per task; negative: none so far. */
  readonly delaysMs: ArrayLike<number>
}

/** Histograms of the impressions that are forgotten by now, followed to the horizon. */
export class DelayHistograms {
  readonly #tasks: readonly string[]
  readonly #horizonMs: number
  readonly #bins: number
  /** Tasks x bins. */
  readonly #counts: Float64Array
  #subjects = 0

  constructor(tasks: readonly string[], horizonMs: number) {
    this.#tasks = tasks
    this.#horizonMs = horizonMs
    this.#bins = binOf(horizonMs) + 1
    this.#counts = new Float64Array(tasks.length * this.#bins)
  }

  /** An impression is forgotten: its delays are all that there will be. */
  add(delayMsOf: (task: number) => number): void {
    this.#subjects += 1
    for (let task = 0; task < this.#tasks.length; task++) {
      const delayMs = delayMsOf(task)
      if (delayMs >= 0) this.#counts[task * this.#bins + binOf(delayMs)]! += 1
    }
  }

  /** The curve of every task by all impressions, the open ones included as far as they have come. O(open + bins). */
  curves(open: readonly OpenSubject[]): DelayCurve[] {
    return this.#tasks.map((name, task) => {
      const events = this.#counts.slice(task * this.#bins, (task + 1) * this.#bins)
      const censored = new Float64Array(this.#bins)
      for (const { ageMs, delaysMs } of open) {
        const delayMs = delaysMs[task]!
        if (delayMs >= 0) events[this.#bin(delayMs)]! += 1
        else censored[this.#bin(ageMs)]! += 1
      }
      const labels = events.reduce((sum, count) => sum + count, 0)
      const arrived = arrivedShare(events, censored, this.#subjects + open.length)
      const untilMs = Array.from(arrived, (_, bin) => Math.min(this.#horizonMs, endOf(bin)))
      return { task: name, horizonMs: this.#horizonMs, labels, untilMs, arrived }
    })
  }

  write(writer: ByteWriter): void {
    writer.array(this.#counts).f64(this.#subjects)
  }

  read(reader: ByteReader): void {
    const counts = reader.float64()
    if (counts.length !== this.#counts.length) {
      throw new MillraceError('CORRUPT', `${counts.length} delays, not ${this.#counts.length}`)
    }
    this.#counts.set(counts)
    this.#subjects = reader.f64()
  }

  #bin(ms: number): number {
    return Math.min(this.#bins - 1, binOf(ms))
  }
}

/** Share of the labels within the horizon that come later than `windowMs`; undefined without labels. */
export function lostShare(curve: DelayCurve, windowMs: number): number | undefined {
  if (curve.labels === 0) return undefined
  if (windowMs >= curve.horizonMs) return 0
  const at = curve.untilMs.findIndex((untilMs) => untilMs >= windowMs)
  const from = at === 0 ? 0 : curve.untilMs[at - 1]!
  const before = at === 0 ? 0 : curve.arrived[at - 1]!
  const inside = (windowMs - from) / (curve.untilMs[at]! - from)
  return 1 - (before + inside * (curve.arrived[at]! - before))
}

/** The shortest time, ms, after which no more than a share of the labels is still to come; undefined without labels. */
export function windowFor(curve: DelayCurve, lost: number): number | undefined {
  if (curve.labels === 0) return undefined
  const at = curve.arrived.findIndex((arrived) => 1 - arrived <= lost + 1e-12)
  return curve.untilMs[at] ?? curve.horizonMs
}

/**
 * 1 - S(d) over its last value: S by Kaplan and Meier, subjects that are censored inside a bin count half in it. `subjects` are all
 * that there are; those neither in `events` nor in `censored` are followed to the end.
 */
function arrivedShare(events: Float64Array, censored: Float64Array, subjects: number): number[] {
  let atRisk = subjects
  let survival = 1
  const arrived: number[] = []
  for (let bin = 0; bin < events.length; bin++) {
    const exposed = atRisk - censored[bin]! / 2
    if (exposed > 0) survival *= 1 - Math.min(1, events[bin]! / exposed)
    atRisk -= events[bin]! + censored[bin]!
    arrived.push(1 - survival)
  }
  const all = arrived.at(-1) ?? 0
  return arrived.map((share) => (all > 0 ? share / all : 0))
}

function binOf(delayMs: number): number {
  return Math.floor(Math.log2(1 + delayMs) * PER_OCTAVE)
}

/** Where a bin ends, ms. */
function endOf(bin: number): number {
  return 2 ** ((bin + 1) / PER_OCTAVE) - 1
}
