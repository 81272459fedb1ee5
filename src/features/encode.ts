/** @file Samples to typed arrays: the keys of every slot and the dense inputs, the same for the learner and the scorer. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Stage } from '../stage.ts'
import type { EncodedFeatures, SlotKeys } from './encoded-batch.ts'
import type { NumberOptions } from './feature-options.ts'
import type { FeatureSpec } from './feature-spec.ts'
import { type FieldCount, FieldCounts } from './field-counts.ts'
import { numberOf, signedLog } from './number-value.ts'
import { RunningStandardisation } from './running-standardisation.ts'
import { type FeatureRow, numberFit, type SlotEncoder, slotEncoder } from './slot-encoders.ts'
import { ValueKeys } from './value-key.ts'

interface DenseColumn {
  readonly options: NumberOptions
  readonly note: (fit: ReturnType<typeof numberFit>) => void
}

/**
 * Encodes by a spec. `encode` uses the means and deviations as they stand and never moves them; the learner calls
 * `learn` with the same rows once it has learned from them (law 1). A scorer is given the trainer's `statistics`.
 */
export class FeatureEncoder implements Stage {
  readonly spec: FeatureSpec
  readonly #slots: { readonly name: string; readonly encode: SlotEncoder }[] = []
  readonly #dense: DenseColumn[] = []
  readonly #counts: FieldCounts
  readonly #standardisation: RunningStandardisation

  constructor(spec: FeatureSpec) {
    this.spec = spec
    this.#counts = new FieldCounts(spec.features.map(({ name }) => name))
    this.#standardisation = new RunningStandardisation(spec.denseWidth)
    const keys = new ValueKeys()
    spec.features.forEach((feature, i) => {
      const note = this.#counts.note.bind(this.#counts, i)
      if (feature.kind === 'number') {
        this.#dense.push({ options: feature, note })
        return
      }
      const slot = spec.slots[this.#slots.length]!
      this.#slots.push({ name: slot.name, encode: slotEncoder(feature, slot, { keys, note }) })
    })
  }

  /** The rows as one batch; the caller owns it. A missing or ill-typed field becomes its slot's "missing" key, or 0, and is counted. */
  encode(rows: readonly FeatureRow[]): EncodedFeatures {
    const above = new Map<string, SlotKeys>()
    for (const { name, encode } of this.#slots) above.set(name, encode(rows, above))
    const { denseWidth } = this.spec
    const dense = new Float32Array(rows.length * denseWidth)
    this.#dense.forEach((column, c) => {
      rows.forEach((row, r) => {
        dense[r * denseWidth + c] = this.#encodeNumber(column, c, row)
      })
    })
    return { rows: rows.length, slots: [...above.values()], dense, denseWidth }
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

  /** Missing and ill-typed fields so far, per feature. */
  counts(): FieldCount[] {
    return this.#counts.list()
  }

  /** [count, mean, sum of squared deviations] per dense column: what a scorer needs besides the spec. */
  statistics(): Float64Array {
    return this.#standardisation.moments()
  }

  /** Continues from the trainer's `statistics()`; throws CORRUPT when they are of another width. */
  setStatistics(statistics: Float64Array): void {
    this.#standardisation.setMoments(statistics)
  }

  snapshot(): Uint8Array {
    return new ByteWriter()
      .text(this.spec.hash)
      .array(this.#standardisation.moments())
      .array(this.#counts.counts())
      .finish()
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
