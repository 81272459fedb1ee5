/** @file The first rows of an encoded batch: probes and previews are made of them. */

import { MillraceError } from '../errors.ts'
import type { EncodedFeatures } from './encoded-batch.ts'

/** A copy of the first `rows` rows; BAD_STATE when the batch has fewer. */
export function firstRows(features: EncodedFeatures, rows: number): EncodedFeatures {
  if (rows > features.rows) {
    throw new MillraceError('BAD_STATE', `${rows} rows of a batch of ${features.rows}`)
  }
  return {
    rows,
    slots: features.slots.map((slot) => {
      const keys = slot.starts[rows] ?? 0
      return {
        ...slot,
        hi: slot.hi.slice(0, keys),
        lo: slot.lo.slice(0, keys),
        starts: slot.starts.slice(0, rows + 1),
      }
    }),
    dense: features.dense.slice(0, rows * features.denseWidth),
    denseWidth: features.denseWidth,
  }
}
