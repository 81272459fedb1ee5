/**
 * @file Everything that features learn from the stream: one table per state feature, saved and published row by row like
 * embeddings. The trainer teaches it by matured labels; a scorer's copy follows the updates.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import type { EmbeddingTable } from '../embeddings/table.ts'
import { MillraceError } from '../errors.ts'
import type { FeatureSpec, StateFeature } from '../features/feature-spec.ts'
import type { StateColumns, StateKeys } from '../features/state-columns.ts'
import type { Sample } from '../samples/sample.ts'
import type { Stage } from '../stage.ts'
import type { EventTime } from '../time.ts'
import { LastSeenTable } from './last-seen-table.ts'
import { RateCap } from './rate-cap.ts'
import { RateTable } from './rate-table.ts'

interface RateFeature {
  readonly kind: 'rate'
  readonly of: StateFeature
  readonly rates: RateTable
  /** Places of its tasks in a sample. */
  readonly tasks: readonly number[]
  readonly cap: { readonly slot: number; readonly counts: RateCap } | undefined
}

interface SeenFeature {
  readonly kind: 'last_seen'
  readonly of: StateFeature
  readonly seen: LastSeenTable
}

/** The snapshot holds what is small (caps); tables are saved by themselves, as they are incremental. */
export class FeatureState implements StateColumns, Stage {
  readonly #features: readonly (RateFeature | SeenFeature)[]
  readonly #negativeWeights: readonly number[] | undefined

  /**
   * `tasks`: those of the job, in order. `negativeWeights`: per task how many negatives each stands for that is learned from,
   * where the others are left out. BAD_SETTINGS when a rate names another task.
   */
  constructor(spec: FeatureSpec, tasks: readonly string[], negativeWeights?: readonly number[]) {
    this.#negativeWeights = negativeWeights
    this.#features = spec.state.map((feature) => stateFeature(feature, tasks))
  }

  /** The tables by the names of their features, in the order of the spec. */
  get tables(): ReadonlyMap<string, EmbeddingTable> {
    return new Map(this.#features.map((one) => [one.of.options.name, tableOf(one)]))
  }

  /** Labels that caps kept from their keys, over all features. */
  get refused(): number {
    return this.#features.reduce(
      (sum, one) => sum + (one.kind === 'rate' ? (one.cap?.counts.refused ?? 0) : 0),
      0,
    )
  }

  /** The rows that changed have been published. */
  published(): void {
    for (const table of this.tables.values()) table.takeDirty('publication')
  }

  readRow(keys: StateKeys, row: number, time: EventTime, out: Float32Array, at: number): void {
    let column = at
    for (const [i, feature] of this.#features.entries()) {
      const own = keys.features[i]!
      if (feature.kind === 'rate') feature.rates.read(own, row, time, out, column)
      else feature.seen.read(own, row, time, out, column)
      column += feature.of.columns
    }
  }

  learnRow(keys: StateKeys, row: number, sample: Sample): void {
    for (const [i, feature] of this.#features.entries()) {
      const own = keys.features[i]!
      if (feature.kind === 'last_seen') {
        feature.seen.learn(own, row, sample.time)
        continue
      }
      const { rates, tasks, cap } = feature
      const known = {
        labels: Float32Array.from(tasks, (task) => within01(sample.labels[task]!)),
        weights: Float32Array.from(tasks, (task) => this.#weightOf(sample, task)),
      }
      if (cap === undefined) rates.learn(own, row, sample.time, known)
      else {
        const { slot, counts } = cap
        const by = keys.slots[slot]!
        counts.open(sample.time)
        rates.learn(own, row, sample.time, known, (k, all) => counts.allowed(by, row, own, k, all))
      }
    }
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter()
    for (const cap of this.#caps()) writer.bytes(cap.snapshot())
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    for (const cap of this.#caps()) cap.restore(reader.bytes())
    reader.end()
  }

  /** As predictions are judged: of negatives that are thinned out only those count that are learned from, for the others too. */
  #weightOf({ mask, labels, learned }: Sample, task: number): number {
    if (mask[task] !== 1) return 0
    if (this.#negativeWeights === undefined || labels[task]! > 0) return 1
    return learned[task] === 1 ? (this.#negativeWeights[task] ?? 1) : 0
  }

  #caps(): RateCap[] {
    return this.#features.flatMap((one) =>
      one.kind === 'rate' && one.cap !== undefined ? [one.cap.counts] : [],
    )
  }
}

function tableOf(feature: RateFeature | SeenFeature): EmbeddingTable {
  return feature.kind === 'rate' ? feature.rates.table : feature.seen.table
}

function stateFeature(of: StateFeature, tasks: readonly string[]): RateFeature | SeenFeature {
  const { options, seed, capSlot } = of
  if (options.kind === 'last_seen') {
    return { kind: 'last_seen', of, seen: new LastSeenTable(options) }
  }
  const places = options.tasks.map((task) => {
    const place = tasks.indexOf(task)
    if (place >= 0) return place
    throw new MillraceError('BAD_SETTINGS', `rate "${options.name}" counts ${task}, no task`, {
      remedy: `name some of ${tasks.join(', ')}`,
    })
  })
  const cap =
    options.cap === undefined || capSlot === undefined
      ? undefined
      : { slot: capSlot, counts: new RateCap(options.cap) }
  return { kind: 'rate', of, rates: new RateTable(options, seed), tasks: places, cap }
}

/** A rate counts events: a label that is a value counts as one at most. */
function within01(label: number): number {
  return Math.min(1, Math.max(0, label))
}
