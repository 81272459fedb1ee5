/** @file One look at a running learner as a value: what the terminal block, the status page and `/status` all show. */

import type { Verdict } from '../publish/gate.ts'
import type { EventTime } from '../time.ts'
import type { InputAccounting } from './accounting.ts'
import type { ReliabilityBin } from './reliability.ts'
import type { DriftReport, ExaminedReport, LabelsReport, TableSize, TaskQuality } from './report.ts'

/** A version that was published. */
export interface PublishedVersion {
  readonly sequence: number
  readonly update: 'full' | 'delta'
  readonly bytes: number
  readonly sha256: string
  /** Seconds from the newest event time inside to its publication. */
  readonly freshnessSeconds: number
  /** When it was published, wall clock, Unix ms. */
  readonly at: number
}

/** A moment of a run. Rates are per second of wall clock over the last seconds; the topology measures them. */
export interface Status {
  readonly job: string
  /** Wall clock, Unix ms. */
  readonly at: number
  readonly engine: string
  /** Why this engine and not another one. */
  readonly engineReason: string
  readonly events: number
  readonly samples: number
  readonly steps: number
  readonly eventsPerSecond: number
  readonly samplesPerSecond: number
  readonly tasks: readonly TaskQuality[]
  /** Of the predictions made as impressions opened, judged by their final labels; empty until the first look. */
  readonly delayed: readonly TaskQuality[]
  /** Calibration curve of each task over the window, in task order. */
  readonly reliability: readonly (readonly ReliabilityBin[])[]
  /** Coefficient of each task's gradient in the last step, in task order; empty before the first. */
  readonly weights: readonly number[]
  /** The last look inside the model. */
  readonly examined: ExaminedReport | undefined
  /** How the labels of each task come in; empty until the first look. */
  readonly labels: LabelsReport['tasks']
  /** What has moved; `undefined` until the first look. */
  readonly drift: Pick<DriftReport, 'totals' | 'features'> | undefined
  readonly tables: readonly TableSize[]
  readonly accounting: readonly InputAccounting[]
  readonly watermark: EventTime
  /** Records on the bus that were not read yet. */
  readonly lagRecords: number
  /** Seconds from event time to publication of the last version. */
  readonly freshnessSeconds: number | undefined
  /** `undefined` until the first version is out. */
  readonly version: PublishedVersion | undefined
  /** What the gate made of the version that was due last; `undefined` until one was. */
  readonly verdict: Verdict | undefined
  /** The last versions that were held back in this life, newest first; `at` is wall clock, Unix ms. */
  readonly held: readonly (Verdict & { readonly at: number })[]
  /** The last versions of this life, newest first. */
  readonly versions: readonly PublishedVersion[]
  /** Where `/` and `/metrics` are served; `undefined` when the job turned that off. */
  readonly metricsUrl: string | undefined
}
