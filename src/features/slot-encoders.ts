/** @file One function per kind of id-like feature: the rows of a batch to the keys of one slot. */

import type { EventTime } from '../time.ts'
import type { SlotKeys } from './encoded-batch.ts'
import type { FeatureOptions, SlotOptions } from './feature-options.ts'
import type { FeatureSlot } from './feature-spec.ts'
import { KeyColumn } from './key-column.ts'
import { bucketOf, numberOf } from './number-value.ts'
import { isAbsent, type ValueFit, type ValueKeys } from './value-key.ts'

/** What the encoder reads of a sample or of a request to score: the impression's fields and its event time. */
export interface FeatureRow {
  readonly fields: Readonly<Record<string, unknown>>
  readonly time: EventTime
}

/** A slot already encoded, by name: what a cross combines. */
export type SlotsAbove = ReadonlyMap<string, SlotKeys>

/** Encodes one slot of a batch. */
export type SlotEncoder = (rows: readonly FeatureRow[], above: SlotsAbove) => SlotKeys

/** What the encoders of a spec share. */
export interface SlotTools {
  readonly keys: ValueKeys
  /** Told how each value of the feature fitted. */
  readonly note: (fit: ValueFit) => void
}

type OptionsOf<Kind extends FeatureOptions['kind']> = Extract<FeatureOptions, { kind: Kind }>

/** The encoder of an id-like feature. */
export function slotEncoder(
  feature: SlotOptions,
  slot: FeatureSlot,
  tools: SlotTools,
): SlotEncoder {
  switch (feature.kind) {
    case 'id':
      return idEncoder(feature, slot, tools)
    case 'ids':
      return bagEncoder(feature, slot, tools)
    case 'bucket':
      return bucketEncoder(feature, slot, tools)
    case 'hour':
    case 'weekday':
      return clockEncoder(feature, slot, tools)
    case 'cross':
      return crossEncoder(feature, slot, tools)
  }
}

function idEncoder(feature: OptionsOf<'id'>, slot: FeatureSlot, tools: SlotTools): SlotEncoder {
  const field = feature.from ?? feature.name
  return (rows) => {
    const column = new KeyColumn(rows.length)
    let before: unknown
    let fit: ValueFit | undefined
    for (const { fields } of rows) {
      const value = fields[field]
      // Candidates of one user have the same value: it is hashed once.
      if (fit === undefined || value !== before)
        fit = tools.keys.write(value, slot.seed, column.key)
      before = value
      tools.note(fit)
      column.push()
      column.endRow()
    }
    return column.finish(slot.pooling)
  }
}

function bagEncoder(feature: OptionsOf<'ids'>, slot: FeatureSlot, tools: SlotTools): SlotEncoder {
  const sources = [feature.from ?? feature.name].flat()
  const { separator, limit } = feature
  return (rows) => {
    const column = new KeyColumn(rows.length)
    for (const { fields } of rows) {
      let kept = 0
      for (const value of sources.flatMap((field) => members(fields[field], separator))) {
        if (kept === limit) break
        if (isAbsent(value)) continue
        const fit = tools.keys.write(value, slot.seed, column.key)
        if (fit === 'value') {
          column.push()
          kept += 1
        } else tools.note(fit)
      }
      if (kept === 0) {
        tools.note(tools.keys.write(undefined, slot.seed, column.key))
        column.push()
      }
      column.endRow()
    }
    return column.finish(slot.pooling)
  }
}

/** The values of a list field, or the parts of a text; anything else is a bag of one. */
function members(value: unknown, separator: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  return typeof value === 'string' ? value.split(separator).map((part) => part.trim()) : [value]
}

function bucketEncoder(
  feature: OptionsOf<'bucket'>,
  slot: FeatureSlot,
  tools: SlotTools,
): SlotEncoder {
  const field = feature.from ?? feature.name
  return (rows) => {
    const column = new KeyColumn(rows.length)
    for (const { fields } of rows) {
      const value = numberOf(fields[field])
      const bucket = value === undefined ? undefined : bucketOf(value, feature)
      tools.keys.write(bucket, slot.seed, column.key)
      tools.note(numberFit(fields[field], value))
      column.push()
      column.endRow()
    }
    return column.finish(slot.pooling)
  }
}

/** How a field fitted a feature that wants a number. */
export function numberFit(field: unknown, value: number | undefined): ValueFit {
  if (value !== undefined) return 'value'
  return isAbsent(field) ? 'missing' : 'ill-typed'
}

const HOUR_MS = 3_600_000
/** 1970-01-01 was a Thursday; Sunday is 0. */
const FIRST_WEEKDAY = 4

function clockEncoder(
  feature: OptionsOf<'hour' | 'weekday'>,
  slot: FeatureSlot,
  tools: SlotTools,
): SlotEncoder {
  const offsetMs = feature.utc_offset_hours * HOUR_MS
  return (rows) => {
    const column = new KeyColumn(rows.length)
    for (const { time } of rows) {
      const hours = Math.floor((time + offsetMs) / HOUR_MS)
      const value =
        feature.kind === 'hour'
          ? floorMod(hours, 24)
          : floorMod(Math.floor(hours / 24) + FIRST_WEEKDAY, 7)
      tools.note(tools.keys.write(value, slot.seed, column.key))
      column.push()
      column.endRow()
    }
    return column.finish(slot.pooling)
  }
}

function floorMod(value: number, modulus: number): number {
  return value - Math.floor(value / modulus) * modulus
}

/** Keys of combinations of slots above: of a `cross`, and of a feature with state. */
export function crossEncoder(
  feature: { readonly of: readonly string[]; readonly limit: number },
  slot: Pick<FeatureSlot, 'seed' | 'pooling'>,
  tools: Pick<SlotTools, 'keys'>,
): SlotEncoder {
  const halves = new Uint32Array(2 * feature.of.length)
  return (rows, above) => {
    const column = new KeyColumn(rows.length)
    const slots = feature.of.flatMap((member) => above.get(member) ?? [])
    for (let row = 0; row < rows.length; row++) {
      let combinations = 1
      for (const { starts } of slots) combinations *= starts[row + 1]! - starts[row]!
      for (let n = 0; n < Math.min(combinations, feature.limit); n++) {
        selectCombination(slots, row, n, halves)
        tools.keys.writeCross(halves, slot.seed, column.key)
        column.push()
      }
      column.endRow()
    }
    return column.finish(slot.pooling)
  }
}

/** Writes the keys of combination n of a row: n counted in mixed radix, the last member turning fastest. */
function selectCombination(
  slots: readonly SlotKeys[],
  row: number,
  n: number,
  halves: Uint32Array,
): void {
  let rest = n
  for (let m = slots.length - 1; m >= 0; m--) {
    const { hi, lo, starts } = slots[m]!
    const count = starts[row + 1]! - starts[row]!
    const at = starts[row]! + (rest % count)
    rest = Math.floor(rest / count)
    halves[2 * m] = hi[at]!
    halves[2 * m + 1] = lo[at]!
  }
}
