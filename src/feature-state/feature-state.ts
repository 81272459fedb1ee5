/**
 * @file Everything that features learn from the stream: one table per state feature, saved and published row by row like
 * embeddings. The trainer teaches it by matured labels; a scorer's copy follows the updates.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import type { DietOptions } from '../embeddings/diet-options.ts'
import type { EmbeddingTable } from '../embeddings/table.ts'
import { tidy } from '../embeddings/tidy.ts'
import { MillraceError } from '../errors.ts'
import type { SlotKeys } from '../features/encoded-batch.ts'
import type { FeatureSpec, HistorySlot, StateFeature } from '../features/feature-spec.ts'
import type { StateColumns, StateKeys } from '../features/state-columns.ts'
import type { Sample } from '../samples/sample.ts'
import type { Stage } from '../stage.ts'
import type { EventTime } from '../time.ts'
import { HistoryTable } from './history-table.ts'
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

interface HistoryFeature {
  readonly kind: 'history'
  readonly of: StateFeature
  readonly history: HistoryTable
  /** Places of its tasks in a sample. */
  readonly tasks: readonly number[]
  readonly slot: HistorySlot
}

type Feature = RateFeature | SeenFeature | HistoryFeature

/** What only a trainer has. */
export interface FeatureStateOptions {
  /** Per task how many negatives each stands for that is learned from, where the others are left out. */
  readonly negativeWeights?: readonly number[] | undefined
  /** When rows of every table are given up; undefined: never. */
  readonly diet?: DietOptions | undefined
}

interface SeenFeature {
  readonly kind: 'last_seen'
  readonly of: StateFeature
  readonly seen: LastSeenTable
}

/** The snapshot holds what is small (caps); tables are saved by themselves, as they are incremental. */
export class FeatureState implements StateColumns, Stage {
  readonly #features: readonly Feature[]
  readonly #negativeWeights: readonly number[] | undefined

  /** `tasks`: those of the job, in order. BAD_SETTINGS when a feature names another task. */
  constructor(spec: FeatureSpec, tasks: readonly string[], options: FeatureStateOptions = {}) {
    this.#negativeWeights = options.negativeWeights
    this.#features = spec.state.map((of) => stateFeature(spec, of, tasks, options.diet))
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

  /** Event time moves on: what is learned from now on was learned then. */
  advance(now: EventTime): void {
    for (const { life } of this.tables.values()) life?.advance(now)
  }

  /** Gives up the rows that are too old, or that matter least where the bound on memory is near. */
  tidy(): void {
    for (const table of this.tables.values()) tidy(table)
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
      else if (feature.kind === 'last_seen') feature.seen.read(own, row, time, out, column)
      column += feature.of.columns
    }
  }

  readHistories(keys: StateKeys, row: number, out: Uint32Array, at: number): void {
    for (const [i, feature] of this.#features.entries()) {
      if (feature.kind !== 'history') continue
      feature.history.read(keys.features[i]!, row, out, at + feature.slot.at)
    }
  }

  learnRow(keys: StateKeys, row: number, sample: Sample): void {
    for (const [i, feature] of this.#features.entries()) {
      const own = keys.features[i]!
      switch (feature.kind) {
        case 'rate':
          this.#countLabels(feature, keys, own, row, sample)
          break
        case 'last_seen':
          feature.seen.learn(own, row, sample.time)
          break
        case 'history':
          if (feature.tasks.some((task) => sample.mask[task] === 1 && sample.labels[task]! > 0)) {
            feature.history.learn(own, keys.slots[feature.slot.items]!, row)
          }
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

  #countLabels(
    { rates, tasks, cap }: RateFeature,
    keys: StateKeys,
    own: SlotKeys,
    row: number,
    sample: Sample,
  ): void {
    const known = {
      labels: Float32Array.from(tasks, (task) => within01(sample.labels[task]!)),
      weights: Float32Array.from(tasks, (task) => this.#weightOf(sample, task)),
    }
    if (cap === undefined) {
      rates.learn(own, row, sample.time, known)
      return
    }
    const { slot, counts } = cap
    const by = keys.slots[slot]!
    counts.open(sample.time)
    rates.learn(own, row, sample.time, known, (k, all) => counts.allowed(by, row, own, k, all))
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

function tableOf(feature: Feature): EmbeddingTable {
  switch (feature.kind) {
    case 'rate':
      return feature.rates.table
    case 'last_seen':
      return feature.seen.table
    case 'history':
      return feature.history.table
  }
}

function stateFeature(
  spec: FeatureSpec,
  of: StateFeature,
  tasks: readonly string[],
  diet: DietOptions | undefined,
): Feature {
  const { options, seed, capSlot } = of
  if (options.kind === 'last_seen') {
    return { kind: 'last_seen', of, seen: new LastSeenTable(options, diet) }
  }
  const places = options.tasks.map((task) => {
    const place = tasks.indexOf(task)
    if (place >= 0) return place
    throw new MillraceError('BAD_SETTINGS', `feature "${options.name}" names ${task}, no task`, {
      remedy: `name some of ${tasks.join(', ')}`,
    })
  })
  if (options.kind === 'history') {
    const slot = spec.slots.find(({ name }) => name === options.name)?.history
    if (slot === undefined) throw new MillraceError('BAD_STATE', `no slot for ${options.name}`)
    return { kind: 'history', of, history: new HistoryTable(options, diet), tasks: places, slot }
  }
  const cap =
    options.cap === undefined || capSlot === undefined
      ? undefined
      : { slot: capSlot, counts: new RateCap(options.cap) }
  return { kind: 'rate', of, rates: new RateTable(options, seed, diet), tasks: places, cap }
}

/** A rate counts events: a label that is a value counts as one at most. */
function within01(label: number): number {
  return Math.min(1, Math.max(0, label))
}
