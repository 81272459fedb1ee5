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
    slots: slots.map((slot) => hasEqualRows(slot, rows)),
    dense: Array.from({ length: denseWidth }, (_, c) => column(c)),
  }
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
  const chosen = slots
    .filter((_, s) => isChosen[s])
    .map(({ hi, lo, starts, pooling }) => {
      const count = starts[1]!
      return {
        hi: hi.subarray(0, count),
        lo: lo.subarray(0, count),
        starts: Uint32Array.of(0, count),
        pooling,
      }
    })
  return { rows: 1, slots: chosen, dense: new Float32Array(0), denseWidth: 0 }
}

/** All rows of the slots that are not chosen; no dense inputs. */
export function otherSlots(
  { rows, slots }: EncodedFeatures,
  isChosen: readonly boolean[],
): EncodedFeatures {
  const others = slots.filter((_, s) => !isChosen[s])
  return { rows, slots: others, dense: new Float32Array(0), denseWidth: 0 }
}
