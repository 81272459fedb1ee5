/**
 * @file Has something moved? ADWIN and Page-Hinkley on the loss and the label rate of every task, PSI on every feature; all of it
 * on what was judged and learned, in that order. Alarms are values: what follows from them is decided elsewhere.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import type { EncodedFeatures } from '../features/encoded-batch.ts'
import type { FeatureSpec } from '../features/feature-spec.ts'
import type { DriftAlarm, FeatureShift } from '../health.ts'
import type { Stage } from '../stage.ts'
import type { EventTime } from '../time.ts'
import type { DriftOptions } from './drift-options.ts'
import { FeatureShifts } from './feature-shift.ts'
import type { DriftTotal } from './report.ts'
import type { ScoredBatch } from './scored-batch.ts'
import { SignalWatch } from './signal-watch.ts'

/** Losses are cut here, nats: one certain mistake is no drift. */
const LARGEST_LOSS = 4

/** The watches of one task. */
interface TaskWatch {
  readonly loss: SignalWatch
  readonly labelRate: SignalWatch
}

/** Two additions per label and a count per key; the detectors work once per block. */
export class DriftMonitor implements Stage {
  readonly #tasks: readonly TaskWatch[]
  readonly #shifts: FeatureShifts

  constructor(tasks: readonly string[], spec: FeatureSpec, options: DriftOptions) {
    this.#tasks = tasks.map((task) => ({
      loss: new SignalWatch({ task, signal: 'loss', fallsToo: false }, options),
      labelRate: new SignalWatch({ task, signal: 'label-rate', fallsToo: true }, options),
    }))
    this.#shifts = new FeatureShifts(spec, options.feature_rows)
  }

  /** Takes judged rows of a batch that ended at `at`; gives the alarms that they raised. */
  observe({ rows, mask, labels, probabilities }: ScoredBatch, at: EventTime): DriftAlarm[] {
    const raised: DriftAlarm[] = []
    for (const [task, { loss, labelRate }] of this.#tasks.entries()) {
      for (let i = task * rows; i < (task + 1) * rows; i++) {
        if (mask[i] === 0) continue
        const isPositive = labels[i]! > 0
        const p = probabilities[i]!
        loss.add(Math.min(LARGEST_LOSS, -Math.log(isPositive ? p : 1 - p)), at, raised)
        labelRate.add(isPositive ? 1 : 0, at, raised)
      }
    }
    return raised
  }

  /** Takes the features of rows that were learned from. */
  observeFeatures(features: EncodedFeatures): void {
    this.#shifts.observe(features)
  }

  /** Alarms so far, by task, signal and detector. */
  totals(): DriftTotal[] {
    return this.#watches().flatMap(({ watched: { task, signal }, alarms }) =>
      (['adwin', 'page-hinkley'] as const).map((detector) => {
        return { task, signal, detector, alarms: alarms[detector] }
      }),
    )
  }

  shifts(): FeatureShift[] {
    return this.#shifts.shifts()
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(4096).text('drift-monitor 1')
    for (const watch of this.#watches()) watch.write(writer)
    this.#shifts.write(writer)
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('drift-monitor 1')
    for (const watch of this.#watches()) watch.read(reader)
    this.#shifts.read(reader)
    reader.end()
  }

  #watches(): SignalWatch[] {
    return this.#tasks.flatMap(({ loss, labelRate }) => [loss, labelRate])
  }
}
