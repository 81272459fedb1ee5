/** @file What watches the stream says about it, as values: learning, publication and learning rates go by these. */

import type { EventTime } from './time.ts'

/**
 * How the labels of a task come in. `warming-up`: too few so far to judge. `outage`: far fewer than usual for the impressions,
 * as of a dead pipeline; `surge`: far more, as of bots. In both the task does not learn.
 */
export type LabelState = 'warming-up' | 'flowing' | 'outage' | 'surge'

/** The label flow of one task. */
export interface LabelHealth {
  readonly task: string
  readonly state: LabelState
  /** Since when the labels look wrong; undefined while they do not. */
  readonly since: EventTime | undefined
  /** Labels per impression when all was well. */
  readonly usualRate: number
  /** Outages and surges so far. */
  readonly anomalies: number
}

/** What moved. */
export type DriftSignal = 'loss' | 'label-rate'

/** Who noticed. */
export type DriftDetector = 'adwin' | 'page-hinkley'

/** A mean before it moved and after. */
export interface MeanShift {
  readonly before: number
  readonly after: number
}

/** One alarm of a drift detector: how the mean of a signal moved. */
export interface DriftAlarm extends MeanShift {
  readonly task: string
  readonly signal: DriftSignal
  readonly detector: DriftDetector
  /** Event time at which the batch that raised it ended. */
  readonly at: EventTime
}

/** How far the values of a feature have moved: the population stability index of the last rows against those before. */
export interface FeatureShift {
  readonly feature: string
  /** Below 0.1 stable, above 0.25 large; undefined until there are enough rows. */
  readonly psi: number | undefined
}
