/** @file Collects the reports of a run into the one value that terminal, page and final report show. */

import type { InputAccounting } from '../src/observe/accounting.ts'
import type { Progressive } from '../src/observe/progressive.ts'
import type {
  DriftReport,
  EpochReport,
  ExaminedReport,
  LabelsReport,
  PublishedReport,
  Report,
  TableSize,
  TaskQuality,
  VerdictReport,
} from '../src/observe/report.ts'
import type { PublishedVersion, Status } from '../src/observe/status.ts'
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

/** Quality of the window is computed anew after this long, ms: it sorts the window of every task. */
const QUALITY_MS = 1_000

/** Versions that are kept to be shown. */
const VERSIONS = 30

/** Mutable; fed by `record`, read by `status`. */
export class StatusBoard {
  readonly #facts: StatusFacts
  readonly #progressive: Progressive
  readonly #clock: Clock
  readonly #paces: Pace[] = []
  #epoch: EpochReport | undefined
  #verdict: VerdictReport | undefined
  #held: Status['held'] = []
  #steps = 0
  #weights: readonly number[] = []
  #examined: ExaminedReport | undefined
  #delayed: readonly TaskQuality[] = []
  #labels: LabelsReport['tasks'] = []
  #drift: DriftReport | undefined
  #tables: readonly TableSize[] = []
  #recent: readonly PublishedVersion[] = []
  #quality: (Pick<Status, 'tasks' | 'reliability'> & { readonly at: number }) | undefined
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
    else if (report.kind === 'examined') this.#examined = report
    else if (report.kind === 'verdict') this.#recordVerdict(report)
    else if (report.kind === 'labels') this.#labels = report.tasks
    else if (report.kind === 'drift') this.#drift = report
    else if (report.kind === 'tables') this.#tables = report.tables
    else if (report.kind === 'delayed') this.#delayed = report.tasks
    else if (report.kind === 'published') this.#recordVersion(report)
    else if (report.kind === 'step') {
      this.#steps = report.steps
      this.#weights = Array.from(report.coefficients)
    }
  }

  status(): Status {
    const epoch = this.#epoch
    const accounting = epoch?.accounting ?? []
    const events = eventsIn(accounting)
    const samples = epoch?.samples ?? 0
    const at = this.#clock.now()
    const pace = this.#pace(at, events, samples)
    const { tasks, reliability } = this.#qualityAt(at)
    const [version] = this.#recent
    return {
      ...this.#facts,
      at,
      events,
      samples,
      steps: this.#steps,
      ...pace,
      tasks,
      delayed: this.#delayed,
      reliability,
      weights: this.#weights,
      examined: this.#examined,
      labels: this.#labels,
      drift: this.#drift && { totals: this.#drift.totals, features: this.#drift.features },
      tables: this.#tables,
      accounting,
      watermark: epoch?.watermark ?? Number.NEGATIVE_INFINITY,
      lagRecords: epoch?.lag.reduce((sum, { records }) => sum + records, 0) ?? 0,
      verdict: this.#verdict,
      freshnessSeconds: version?.freshnessSeconds,
      version,
      versions: this.#recent,
      held: this.#held,
      metricsUrl: this.metricsUrl,
    }
  }

  #recordVerdict(verdict: VerdictReport): void {
    this.#verdict = verdict
    if (verdict.outcome === 'published') return
    this.#held = [{ ...verdict, at: this.#clock.now() }, ...this.#held].slice(0, VERSIONS)
  }

  #recordVersion({ kind: _, ...version }: PublishedReport): void {
    this.#recent = [{ ...version, at: this.#clock.now() }, ...this.#recent].slice(0, VERSIONS)
    this.#versions.published += 1
    this.#versions[version.update === 'full' ? 'fulls' : 'deltas'] += 1
  }

  #qualityAt(at: number): Pick<Status, 'tasks' | 'reliability'> {
    const known = this.#quality
    if (known !== undefined && at - known.at < QUALITY_MS && at >= known.at) return known
    const tasks = this.#progressive.quality()
    this.#quality = { at, tasks, reliability: this.#progressive.reliability() }
    return this.#quality
  }

  #pace(
    atMs: number,
    events: number,
    samples: number,
  ): { eventsPerSecond: number; samplesPerSecond: number } {
    const now = { atMs, events, samples }
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
