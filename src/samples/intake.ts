/** @file What a learner takes its samples from: the join of the events, or what joiners have written to the samples topic. */

import type { Decoded } from '../events/event.ts'
import type { LabelHealth } from '../health.ts'
import type { DelayCurve } from '../join/delay-curve.ts'
import type { JoinOutputs } from '../join/join-outputs.ts'
import type { KindAccounting } from '../join/ledger.ts'
import type { Stage } from '../stage.ts'
import type { EventTime } from '../time.ts'
import type { Sample } from './sample.ts'

/** Everything that happened to the records of a call. */
export interface IntakeOutputs extends Omit<JoinOutputs, 'samples'> {
  readonly samples: readonly Sample[]
}

/** Records in, samples out in the order in which they are learned from. `EventJoiner` and `SampleIntake` are ones. */
export interface Intake<Outputs extends IntakeOutputs = IntakeOutputs> extends Stage {
  /** Every sample that matured before it has left. */
  readonly watermark: EventTime
  /** The newest time seen on any input. */
  readonly newestTime: EventTime
  /** Records that wait for the watermark. */
  readonly buffered: number
  /** Samples of the samples topic that were accepted as lost; 0 of a join. */
  readonly missing: number
  /** How the labels of every task come in, where that is seen: empty in a trainer, whose joiners see it. */
  readonly labelHealth: readonly LabelHealth[]
  /** How long the labels of every task take, where that is seen: empty in a trainer. */
  delayCurves(): readonly DelayCurve[]
  /** The newest time seen on an input; -Infinity before the first. */
  maxTime(input: number): EventTime
  push(records: readonly Decoded[]): Outputs
  setIdle(input: number, idle: boolean): Outputs
  finish(input: number): Outputs
  accounting(): readonly KindAccounting[]
}
