/** @file Turns reports into Prometheus metrics: the one door to prom-client, with its own registry. */

import { type Gauge, Registry } from 'prom-client'
import { GATE_RULES } from '../publish/gate-checks.ts'
import { type InputAccounting, unaccounted } from './accounting.ts'
import { BoundedLabel } from './bounded-label.ts'
import { addProcessMetrics } from './instrument-makers.ts'
import { createInstruments, type Instruments } from './instruments.ts'
import type {
  ArmsReport,
  DelayedReport,
  DriftReport,
  EngineReport,
  EpochReport,
  ExaminedReport,
  LabelsReport,
  PublishedReport,
  QualityReport,
  Report,
  StepReport,
  TablesReport,
  VerdictReport,
} from './report.ts'
import { RunningTotal } from './running-total.ts'

/** What a registry is made for. */
export interface RegistryOptions {
  /** Task names, in task order: step reports carry coefficients without names. */
  readonly tasks: readonly string[]
  /** Version of the program, for `millrace_build_info`. */
  readonly version: string
  /** Also expose memory, CPU, event loop and garbage collection of the process. */
  readonly processMetrics?: boolean
}

/** The metrics of one learner. Several can live in one process. */
export class MetricsRegistry {
  readonly #registry = new Registry()
  readonly #instruments: Instruments
  readonly #totals: Record<CounterName, RunningTotal>
  readonly #tasks: readonly string[]
  readonly #reasons = new BoundedLabel()

  constructor({ tasks, version, processMetrics = true }: RegistryOptions) {
    this.#tasks = tasks
    this.#instruments = createInstruments(this.#registry)
    this.#totals = totalsOf(this.#instruments)
    for (const rule of GATE_RULES) this.#instruments.findings.inc({ rule }, 0)
    for (const outcome of ['published', 'held']) this.#instruments.verdicts.inc({ outcome }, 0)
    this.#instruments.build.set({ version, node: process.version }, 1)
    if (processMetrics) addProcessMetrics(this.#registry)
  }

  /** Content type of `expose()`. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** The Prometheus text format. */
  expose(): Promise<string> {
    return this.#registry.metrics()
  }

  record(report: Report): void {
    switch (report.kind) {
      case 'epoch':
        this.#recordEpoch(report)
        break
      case 'step':
        this.#recordStep(report)
        break
      case 'quality':
        this.#recordQuality(report)
        break
      case 'delayed':
        this.#recordDelayed(report)
        break
      case 'labels':
        this.#recordLabels(report)
        break
      case 'drift':
        this.#recordDrift(report)
        break
      case 'arms':
        this.#recordArms(report)
        break
      case 'tables':
        this.#recordTables(report)
        break
      case 'published':
        this.#recordPublished(report)
        break
      case 'verdict':
        this.#recordVerdict(report)
        break
      case 'engine':
        this.#recordEngine(report)
        break
      case 'examined':
        this.#recordExamined(report)
        break
      default:
        report satisfies never
    }
  }

  #recordEpoch({ accounting, samples, missing = 0, lag, watermark }: EpochReport): void {
    for (const input of accounting) this.#recordInput(input)
    this.#totals.samples.set(samples)
    this.#totals.missing.set(missing)
    for (const { topic, partition, records } of lag) {
      this.#instruments.lag.set({ topic, partition: String(partition) }, records)
    }
    if (Number.isFinite(watermark)) this.#instruments.watermark.set(watermark / 1000)
  }

  #recordInput(input: InputAccounting): void {
    const { kind } = input
    this.#totals.events.set(input.in, { kind })
    this.#totals.joined.set(input.joined, { kind })
    this.#totals.erased.set(input.erased, { kind })
    this.#totals.duplicates.set(input.duplicates, { kind })
    this.#totals.orphans.set(input.orphans, { kind })
    for (const [reason, count] of this.#reasons.grouped(input.late)) {
      this.#totals.late.set(count, { kind, reason })
    }
    for (const [reason, count] of this.#reasons.grouped(input.deadLetters)) {
      this.#totals.deadLetters.set(count, { kind, reason })
    }
    this.#instruments.open.set({ kind }, input.open)
    this.#instruments.unaccounted.set({ kind }, unaccounted(input))
  }

  #recordStep({ steps, seconds, coefficients, rateFactor, minimumCosine }: StepReport): void {
    this.#totals.steps.set(steps)
    this.#instruments.stepSeconds.observe(seconds)
    this.#instruments.rateFactor.set(rateFactor)
    this.#tasks.forEach((task, index) => {
      setOrRemove(this.#instruments.weight, coefficients[index], { task })
    })
    setOrRemove(this.#instruments.cosine, minimumCosine)
  }

  #recordLabels({ tasks }: LabelsReport): void {
    const { frozen, lostShare } = this.#instruments
    for (const { task, state, anomalies, lostShare: lost } of tasks) {
      frozen.set({ task }, state === 'outage' || state === 'surge' ? 1 : 0)
      this.#totals.anomalies.set(anomalies, { task })
      setOrRemove(lostShare, lost, { task })
    }
  }

  #recordDrift({ totals, features }: DriftReport): void {
    for (const { alarms, ...labels } of totals) this.#totals.drift.set(alarms, labels)
    for (const { feature, psi } of features) {
      setOrRemove(this.#instruments.featureShift, psi, { feature })
    }
  }

  #recordArms({ arms }: ArmsReport): void {
    const { armAuc, armEntropy, armCalibration } = this.#instruments
    for (const { arm, learned, leftOut, tasks } of arms) {
      this.#totals.armSamples.set(learned, { arm, use: 'learned' })
      this.#totals.armSamples.set(leftOut, { arm, use: 'left-out' })
      for (const { task, window } of tasks) {
        setOrRemove(armAuc, window.auc, { arm, task })
        setOrRemove(armEntropy, window.normalizedEntropy, { arm, task })
        setOrRemove(armCalibration, window.calibrationRatio, { arm, task })
      }
    }
  }

  #recordDelayed({ tasks }: DelayedReport): void {
    const { delayedAuc, delayedEntropy, delayedCalibration } = this.#instruments
    for (const { task, window } of tasks) {
      setOrRemove(delayedAuc, window.auc, { task })
      setOrRemove(delayedEntropy, window.normalizedEntropy, { task })
      setOrRemove(delayedCalibration, window.calibrationRatio, { task })
    }
  }

  #recordQuality({ tasks }: QualityReport): void {
    const { auc, logloss, entropy, calibration, labelRate } = this.#instruments
    for (const { task, window } of tasks) {
      setOrRemove(auc, window.auc, { task })
      setOrRemove(logloss, window.logloss, { task })
      setOrRemove(entropy, window.normalizedEntropy, { task })
      setOrRemove(calibration, window.calibrationRatio, { task })
      setOrRemove(labelRate, window.labelRate, { task })
    }
  }

  #recordTables({ tables, erasedUsers }: TablesReport): void {
    if (erasedUsers !== undefined) this.#totals.erasedUsers.set(erasedUsers)
    for (const { table, rows, bytes, payloadBytes, evicted = {}, refused = {} } of tables) {
      this.#instruments.tableRows.set({ table }, rows)
      this.#instruments.tableBytes.set({ table }, bytes)
      this.#instruments.payloadBytes.set({ table }, payloadBytes)
      for (const [reason, total] of Object.entries(evicted)) {
        this.#totals.evictions.set(total, { table, reason })
      }
      for (const [reason, total] of Object.entries(refused)) {
        this.#totals.refusals.set(total, { table, reason })
      }
    }
  }

  #recordPublished({ update, sequence, bytes, freshnessSeconds }: PublishedReport): void {
    this.#instruments.version.set(sequence)
    this.#instruments.published.inc({ update })
    this.#instruments.publishedBytes.inc({ update }, bytes)
    this.#instruments.freshness.set(freshnessSeconds)
  }

  #recordVerdict({ outcome, findings, heldInRow }: VerdictReport): void {
    this.#instruments.verdicts.inc({ outcome })
    for (const { rule } of findings) this.#instruments.findings.inc({ rule })
    this.#instruments.held.set(heldInRow)
  }

  #recordExamined({ cosines, gates, layers }: ExaminedReport): void {
    const { taskCosine, gateShare, deadUnits } = this.#instruments
    this.#tasks.forEach((task, row) => {
      for (let column = row + 1; column < this.#tasks.length; column++) {
        const other = this.#tasks[column] ?? ''
        setOrRemove(taskCosine, cosines[row * this.#tasks.length + column], { task, other })
      }
    })
    for (const { gate, shares } of gates) {
      shares.forEach((share, expert) => {
        gateShare.set({ gate, expert: String(expert) }, share)
      })
    }
    for (const { layer, units, dead } of layers) deadUnits.set({ layer }, dead / units)
  }

  #recordEngine({ engine, reason }: EngineReport): void {
    this.#instruments.engine.reset()
    this.#instruments.engine.set({ engine, reason }, 1)
  }
}

type CounterName = keyof ReturnType<typeof totalsOf>

function totalsOf(instruments: Instruments) {
  return {
    events: new RunningTotal(instruments.events),
    joined: new RunningTotal(instruments.joined),
    erased: new RunningTotal(instruments.erased),
    erasedUsers: new RunningTotal(instruments.erasedUsers),
    duplicates: new RunningTotal(instruments.duplicates),
    late: new RunningTotal(instruments.late),
    orphans: new RunningTotal(instruments.orphans),
    deadLetters: new RunningTotal(instruments.deadLetters),
    anomalies: new RunningTotal(instruments.anomalies),
    drift: new RunningTotal(instruments.drift),
    armSamples: new RunningTotal(instruments.armSamples),
    samples: new RunningTotal(instruments.samples),
    missing: new RunningTotal(instruments.missing),
    steps: new RunningTotal(instruments.steps),
    evictions: new RunningTotal(instruments.evictions),
    refusals: new RunningTotal(instruments.refusals),
  }
}

/** A figure without a value is an absent series, not a NaN that would poison every average. */
function setOrRemove(
  gauge: Gauge,
  value: number | undefined,
  labels: Readonly<Record<string, string>> = {},
): void {
  if (value === undefined) gauge.remove(labels)
  else gauge.set(labels, value)
}
