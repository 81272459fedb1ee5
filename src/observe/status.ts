/** @file One look at a running learner as a value: what the terminal block, the status page and `/status` all show. */

import type { Verdict } from '../publish/gate.ts'
import type { EventTime } from '../time.ts'
import type { InputAccounting } from './accounting.ts'
import type { TaskQuality } from './report.ts'

/** The version that was published last. */
export interface PublishedVersion {
  readonly sequence: number
  readonly update: 'full' | 'delta'
  readonly bytes: number
  readonly sha256: string
}

/** A moment of a run. Rates are per second of wall clock over the last seconds; the topology measures them. */
export interface Status {
  readonly job: string
  readonly engine: string
  /** Why this engine and not another one. */
  readonly engineReason: string
  readonly events: number
  readonly samples: number
  readonly steps: number
  readonly eventsPerSecond: number
  readonly samplesPerSecond: number
  readonly tasks: readonly TaskQuality[]
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
  /** Where `/` and `/metrics` are served; `undefined` when the job turned that off. */
  readonly metricsUrl: string | undefined
}
