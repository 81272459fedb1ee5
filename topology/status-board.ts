/** @file Collects the reports of a run into the one value that terminal, page and final report show. */

import type { InputAccounting } from '../src/observe/accounting.ts'
import type { Progressive } from '../src/observe/progressive.ts'
import type { EpochReport, PublishedReport, Report, VerdictReport } from '../src/observe/report.ts'
import type { Status } from '../src/observe/status.ts'
import type { Clock } from '../src/time.ts'

/** What does not change while a job runs. */
export interface StatusFacts {
  readonly job: string
  readonly engine: string
  readonly engineReason: string
}

interface Pace {
  readonly atMs: number
  readonly events: number
  readonly samples: number
}

/** Rates are measured over about this long, ms. */
const PACE_MS = 3_000

/** Mutable; fed by `record`, read by `status`. */
export class StatusBoard {
  readonly #facts: StatusFacts
  readonly #progressive: Progressive
  readonly #clock: Clock
  readonly #paces: Pace[] = []
  #epoch: EpochReport | undefined
  #published: PublishedReport | undefined
  #verdict: VerdictReport | undefined
  #steps = 0
  readonly #versions = { published: 0, fulls: 0, deltas: 0 }
  metricsUrl: string | undefined

  constructor(facts: StatusFacts, progressive: Progressive, clock: Clock) {
    this.#facts = facts
    this.#progressive = progressive
    this.#clock = clock
  }

  /** Versions published in this life. */
  get versions(): { readonly published: number; readonly fulls: number; readonly deltas: number } {
    return this.#versions
  }

  record(report: Report): void {
    if (report.kind === 'epoch') this.#epoch = report
    else if (report.kind === 'step') this.#steps = report.steps
    else if (report.kind === 'verdict') this.#verdict = report
    else if (report.kind === 'published') {
      this.#published = report
      this.#versions.published += 1
      this.#versions[report.update === 'full' ? 'fulls' : 'deltas'] += 1
    }
  }

  status(): Status {
    const epoch = this.#epoch
    const accounting = epoch?.accounting ?? []
    const events = eventsIn(accounting)
    const samples = epoch?.samples ?? 0
    const pace = this.#pace(events, samples)
    return {
      ...this.#facts,
      events,
      samples,
      steps: this.#steps,
      ...pace,
      tasks: this.#progressive.quality(),
      accounting,
      watermark: epoch?.watermark ?? Number.NEGATIVE_INFINITY,
      lagRecords: epoch?.lag.reduce((sum, { records }) => sum + records, 0) ?? 0,
      freshnessSeconds: this.#published?.freshnessSeconds,
      version: this.#published,
      verdict: this.#verdict,
      metricsUrl: this.metricsUrl,
    }
  }

  #pace(events: number, samples: number): { eventsPerSecond: number; samplesPerSecond: number } {
    const now = { atMs: this.#clock.now(), events, samples }
    this.#paces.push(now)
    while (this.#paces.length > 2 && now.atMs - (this.#paces[1]?.atMs ?? now.atMs) >= PACE_MS) {
      this.#paces.shift()
    }
    const first = this.#paces[0] ?? now
    const seconds = (now.atMs - first.atMs) / 1000
    if (seconds <= 0) return { eventsPerSecond: 0, samplesPerSecond: 0 }
    return {
      eventsPerSecond: (events - first.events) / seconds,
      samplesPerSecond: (samples - first.samples) / seconds,
    }
  }
}

function eventsIn(accounting: readonly InputAccounting[]): number {
  return accounting.reduce((sum, input) => sum + input.in, 0)
}
