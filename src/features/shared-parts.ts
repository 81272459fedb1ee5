/** @file What all rows of a request have in common: the user and the context of many candidates. A scorer computes it once. */

import type { EncodedFeatures, SlotKeys } from './encoded-batch.ts'

/** True for a slot with the same keys in every row, and for a dense column with the same number. */
export interface SharedParts {
  readonly slots: readonly boolean[]
  readonly dense: readonly boolean[]
}

/** Compares every row with the first; most slots that differ do so in the second row. */
export function sharedParts({ rows, slots, dense, denseWidth }: EncodedFeatures): SharedParts {
  const column = (c: number): boolean => {
    for (let at = c; at < rows * denseWidth; at += denseWidth) {
      if (dense[at] !== dense[c]) return false
    }
    return true
  }
  return {
    slots: withQueries(
      slots,
      slots.map((slot) => hasEqualRows(slot, rows)),
    ),
    dense: Array.from({ length: denseWidth }, (_, c) => column(c)),
  }
}

/** A history that is weighed by another slot goes where that slot goes. */
function withQueries(slots: readonly SlotKeys[], isShared: readonly boolean[]): boolean[] {
  const together = [...isShared]
  for (const [s, { query }] of slots.entries()) {
    if (query !== undefined && !isShared[s]) together[query] = false
  }
  return slots.map(({ query }, s) => together[s]! && (query === undefined || together[query]!))
}

/** Slots of a part, with the places of queries in it. */
function partOf(slots: readonly SlotKeys[], isIn: (slot: number) => boolean): SlotKeys[] {
  const before = (slot: number): number => slots.slice(0, slot).filter((_, s) => isIn(s)).length
  return slots
    .filter((_, s) => isIn(s))
    .map((slot) => (slot.query === undefined ? slot : { ...slot, query: before(slot.query) }))
}

function hasEqualRows({ hi, lo, starts }: SlotKeys, rows: number): boolean {
  const count = starts[1]! - starts[0]!
  if (starts[rows]! !== rows * count) return false
  for (let row = 1; row < rows; row++) {
    if (starts[row + 1]! - starts[row]! !== count) return false
    const at = starts[row]!
    for (let k = 0; k < count; k++) {
      if (hi[at + k] !== hi[k] || lo[at + k] !== lo[k]) return false
    }
  }
  return true
}

/** The first row of the chosen slots; no dense inputs. */
export function firstOfSlots(
  { slots }: EncodedFeatures,
  isChosen: readonly boolean[],
): EncodedFeatures {
  const chosen = partOf(slots, (s) => isChosen[s]!).map((slot) => {
    const count = slot.starts[1]!
    const [hi, lo] = [slot.hi.subarray(0, count), slot.lo.subarray(0, count)]
    return { ...slot, hi, lo, starts: Uint32Array.of(0, count) }
  })
  return { rows: 1, slots: chosen, dense: new Float32Array(0), denseWidth: 0 }
}

/** All rows of the slots that are not chosen; no dense inputs. */
export function otherSlots(
  { rows, slots }: EncodedFeatures,
  isChosen: readonly boolean[],
): EncodedFeatures {
  const others = partOf(slots, (s) => !isChosen[s])
  return { rows, slots: others, dense: new Float32Array(0), denseWidth: 0 }
}
