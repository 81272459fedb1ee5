/** @file Samples to typed arrays: the keys of every slot and the dense inputs, the same for the learner and the scorer. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import { OpenImpressions } from '../samples/open-impressions.ts'
import type { Sample } from '../samples/sample.ts'
import type { Stage } from '../stage.ts'
import type { EventTime } from '../time.ts'
import type { EncodedFeatures, SlotKeys } from './encoded-batch.ts'
import { givesIds, type NumberOptions } from './feature-options.ts'
import type { FeatureSpec } from './feature-spec.ts'
import { type FieldCount, FieldCounts } from './field-counts.ts'
import { historySlot, noKeys } from './history-slot.ts'
import { numberOf, signedLog } from './number-value.ts'
import { RunningStandardisation } from './running-standardisation.ts'
import {
  crossEncoder,
  type FeatureRow,
  numberFit,
  type SlotEncoder,
  slotEncoder,
} from './slot-encoders.ts'
import type { StateColumns, StateKeys } from './state-columns.ts'
import { ValueKeys } from './value-key.ts'

interface DenseColumn {
  readonly options: NumberOptions
  readonly note: (fit: ReturnType<typeof numberFit>) => void
}

/** What an impression was encoded with from the state. */
interface FromState {
  readonly columns: Float32Array
  /** The words of its histories. */
  readonly histories: Uint32Array
}

/** Rows encoded from their fields alone. */
interface EncodedFields {
  readonly rows: number
  readonly slots: ReadonlyMap<string, SlotKeys>
  readonly dense: Float32Array
  readonly keys: StateKeys
  /** Room for the words of the rows' histories. */
  readonly histories: Uint32Array
}

/** The keys of some samples. */
interface SampleKeys {
  readonly rowOf: ReadonlyMap<Sample, number>
  readonly keys: StateKeys
}

/**
 * Encodes by a spec. Encoding uses the statistics and the state as they stand and never moves them; the learner calls
 * `learn` and `settle` once it has learned from the samples (law 1). A scorer is given the trainer's `statistics` and state.
 */
export class FeatureEncoder implements Stage {
  readonly spec: FeatureSpec
  readonly #slots: { readonly name: string; readonly encode: SlotEncoder }[] = []
  readonly #dense: DenseColumn[] = []
  readonly #stateKeys: readonly SlotEncoder[]
  readonly #state: StateColumns | undefined
  /**
   * State columns and histories of impressions with labels to come. By an impression's second row its own first label has been counted, so
   * every row of it has those of its first: a label never sees itself (law 1).
   */
  readonly #first: OpenImpressions<FromState>
  readonly #counts: FieldCounts
  readonly #standardisation: RunningStandardisation
  /** Keys of the samples encoded last: those that are settled next, as a rule. */
  #last: SampleKeys | undefined

  /**
   * `state`: what features with a state read and teach; BAD_STATE when the spec has some and it is missing. `horizonMs`: the
   * longest window of a task, after which no label of an impression comes.
   */
  constructor(spec: FeatureSpec, state?: StateColumns, horizonMs = Number.POSITIVE_INFINITY) {
    if (spec.state.length > 0 && state === undefined) {
      throw new MillraceError('BAD_STATE', 'the feature spec has rates, the encoder got no state', {
        remedy: "give the encoder the model's state: new FeatureEncoder(model.spec, model.state)",
      })
    }
    this.spec = spec
    this.#first = new OpenImpressions(horizonMs)
    this.#state = spec.state.length > 0 ? state : undefined
    this.#counts = new FieldCounts(spec.features.map(({ name }) => name))
    this.#standardisation = new RunningStandardisation(spec.numberWidth)
    const keys = new ValueKeys()
    spec.features.forEach((feature, i) => {
      const note = this.#counts.note.bind(this.#counts, i)
      if (feature.kind === 'number') this.#dense.push({ options: feature, note })
      if (!givesIds(feature)) return
      const slot = spec.slots.find(({ name }) => name === feature.name)!
      this.#slots.push({ name: slot.name, encode: slotEncoder(feature, slot, { keys, note }) })
    })
    this.#stateKeys = spec.state.map((feature) => {
      const { of, limit = 1 } = { limit: undefined, ...feature.options }
      return crossEncoder({ of, limit }, feature, { keys })
    })
  }

  /** The rows as one batch; the caller owns it. A missing or ill-typed field becomes its slot's "missing" key, or 0, and is counted. */
  encode(rows: readonly FeatureRow[]): EncodedFeatures {
    const encoded = this.#encodeFields(rows)
    rows.forEach(({ time }, r) => {
      this.#readState(encoded, r, time)
    })
    return this.#withHistories(encoded)
  }

  /** The same for samples of the stream: each row of an impression has the state columns of its first. */
  encodeSamples(samples: readonly Sample[]): EncodedFeatures {
    const encoded = this.#encodeFields(samples)
    const { dense, histories, keys } = encoded
    if (this.#state === undefined) return this.#withHistories(encoded)
    this.#last = { rowOf: rowsOf(samples), keys }
    const { denseWidth, numberWidth, historyWords } = this.spec
    for (const [r, sample] of samples.entries()) {
      const [at, from] = [this.#stateAt(r), r * historyWords]
      const known = this.#first.find(sample.id)
      if (known !== undefined) {
        dense.set(known.columns, at)
        histories.set(known.histories, from)
        continue
      }
      this.#readState(encoded, r, sample.time)
      // No further row of a drawn negative comes.
      if (sample.role === 'drawn') continue
      this.#first.keep(sample, {
        columns: dense.slice(at, at + denseWidth - numberWidth),
        histories: histories.slice(from, from + historyWords),
      })
    }
    return this.#withHistories(encoded)
  }

  /** Moves the means and deviations by the rows' numbers. */
  learn(rows: readonly FeatureRow[]): void {
    this.#dense.forEach(({ options }, c) => {
      if (!options.standardise) return
      for (const row of rows) {
        const value = numberOf(row.fields[options.from ?? options.name])
        if (value !== undefined) this.#standardisation.learn(c, scaled(value, options))
      }
    })
  }

  /** Moves the state by the final labels of samples, in their order; after the batch that brought them was learned from. */
  settle(samples: readonly Sample[]): void {
    if (this.#state === undefined) return
    const last = this.#last
    const unknown = samples.filter((sample) => last?.rowOf.has(sample) !== true)
    const others = unknown.length === 0 ? undefined : this.#keysOf(unknown)
    for (const sample of samples) {
      const from = last?.rowOf.has(sample) === true ? last : others
      if (from !== undefined) this.#state.learnRow(from.keys, from.rowOf.get(sample) ?? 0, sample)
      this.#first.labelled(sample)
    }
    this.#last = undefined
  }

  /** Forgets what it keeps for impressions whose labels are overdue; all samples that follow are final at `now` or later. */
  forget(now: EventTime): void {
    this.#first.forget(now)
  }

  /** Forgets what it keeps for these impressions. */
  drop(ids: Iterable<string>): void {
    this.#first.drop(ids)
  }

  /** Missing and ill-typed fields so far, per feature. */
  counts(): FieldCount[] {
    return this.#counts.list()
  }

  /** [count, mean, sum of squared deviations] per number feature: what a scorer needs besides the spec. */
  statistics(): Float64Array {
    return this.#standardisation.moments()
  }

  /** Continues from the trainer's `statistics()`; throws CORRUPT when they are of another width. */
  setStatistics(statistics: Float64Array): void {
    this.#standardisation.setMoments(statistics)
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(256 + this.#first.size * 256).text(this.spec.hash)
    writer.array(this.#standardisation.moments()).array(this.#counts.counts())
    this.#first.write(writer, ({ columns, histories }) => writer.array(columns).array(histories))
    return writer.finish()
  }

  /** Throws CORRUPT when the snapshot is of another spec. */
  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    const hash = reader.text()
    if (hash !== this.spec.hash) {
      throw new MillraceError('CORRUPT', `encoder state of spec ${hash}, not ${this.spec.hash}`)
    }
    this.#standardisation.setMoments(reader.float64())
    this.#counts.setCounts(reader.float64())
    this.#first.read(reader, () => ({ columns: reader.float32(), histories: reader.uint32() }))
    this.#last = undefined
  }

  #encodeFields(samples: readonly FeatureRow[]): EncodedFields {
    // Once per row: a sample's fields may be decoded when they are asked for.
    const rows = samples.map(({ fields, time }) => ({ fields, time }))
    const above = new Map<string, SlotKeys>()
    for (const { name, encode } of this.#slots) above.set(name, encode(rows, above))
    const { denseWidth, historyWords } = this.spec
    const dense = new Float32Array(rows.length * denseWidth)
    this.#dense.forEach((column, c) => {
      rows.forEach((row, r) => {
        dense[r * denseWidth + c] = this.#encodeNumber(column, c, row)
      })
    })
    const keys = {
      features: this.#stateKeys.map((encode) => encode(rows, above)),
      slots: this.spec.slots.map(({ name, pooling }) => above.get(name) ?? noKeys(pooling)),
    }
    const histories = new Uint32Array(rows.length * historyWords)
    return { rows: rows.length, slots: above, dense, keys, histories }
  }

  #readState({ keys, dense, histories }: EncodedFields, row: number, time: EventTime): void {
    this.#state?.readRow(keys, row, time, dense, this.#stateAt(row))
    this.#state?.readHistories(keys, row, histories, row * this.spec.historyWords)
  }

  /** The slots that come from fields and those that come from the state, in the order of the spec. */
  #withHistories({ rows, slots, dense, histories }: EncodedFields): EncodedFeatures {
    const { denseWidth, historyWords } = this.spec
    const all = this.spec.slots.map(
      (slot) => slots.get(slot.name) ?? historySlot(slot, rows, histories, historyWords),
    )
    return { rows, slots: all, dense, denseWidth }
  }

  #keysOf(samples: readonly Sample[]): SampleKeys {
    return { rowOf: rowsOf(samples), keys: this.#encodeFields(samples).keys }
  }

  /** Where a row's state columns start. */
  #stateAt(row: number): number {
    return row * this.spec.denseWidth + this.spec.numberWidth
  }

  #encodeNumber({ options, note }: DenseColumn, column: number, row: FeatureRow): number {
    const field = row.fields[options.from ?? options.name]
    const value = numberOf(field)
    note(numberFit(field, value))
    if (value === undefined) return 0
    const number = scaled(value, options)
    const result = options.standardise ? this.#standardisation.apply(column, number) : number
    return Math.min(options.clip, Math.max(-options.clip, result))
  }
}

function scaled(value: number, options: NumberOptions): number {
  return options.log ? signedLog(value) : value
}

function rowsOf(samples: readonly Sample[]): Map<Sample, number> {
  return new Map(Array.from(samples, (sample, row) => [sample, row]))
}
