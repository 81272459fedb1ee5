/** @file Encoded rows -> what a model reads, with what all rows have in common looked up, pooled and kept once. */

import type { ValuesEdit } from '../embeddings/pooled-lookup.ts'
import type { EncodedFeatures } from '../features/encoded-batch.ts'
import { firstOfSlots, otherSlots, sharedParts } from '../features/shared-parts.ts'
import type { EmbeddedBatch, ForwardInput } from './embedded-batch.ts'
import { type SplitMatrix, splitColumns, unsplit } from './split-matrix.ts'

/** Inputs of one forward pass without gradients. */
export interface SplitInput {
  readonly rows: number
  readonly x: SplitMatrix
  /** Absent in a model without numeric inputs. */
  readonly dense: SplitMatrix | undefined
  /** [rows, tasks], absent in a model without a wide part. */
  readonly wide: Float32Array | undefined
}

/** For fewer rows sharing saves nothing. */
const FEWEST_ROWS = 8

/** Reads a batch; where no row has anything in common with all others, exactly what `EmbeddedBatch.read` gives with the same `edit`. */
export function readSplit(
  embedded: EmbeddedBatch,
  features: EncodedFeatures,
  edit?: ValuesEdit,
): SplitInput {
  const { rows, denseWidth } = features
  const shared = rows < FEWEST_ROWS ? undefined : sharedParts(features)
  const input =
    shared?.slots.includes(true) && shared.slots.includes(false)
      ? readParts(embedded, features, shared.slots, edit)
      : unsplitInput(embedded.read(features, edit))
  if (denseWidth === 0) return { ...input, dense: undefined }
  const columns = shared?.dense ?? new Array<boolean>(denseWidth).fill(false)
  const dense = columns.includes(false) ? columns : columns.map(() => false)
  return { ...input, dense: splitColumns(features.dense, rows, dense) }
}

type Pooled = Omit<SplitInput, 'dense'>

function unsplitInput({ rows, x, xWidth, wide }: ForwardInput): Pooled {
  return { rows, x: unsplit(x, rows, xWidth), wide }
}

function readParts(
  embedded: EmbeddedBatch,
  features: EncodedFeatures,
  isShared: readonly boolean[],
  edit: ValuesEdit | undefined,
): Pooled {
  const one = embedded.read(firstOfSlots(features, isShared), edit)
  // Scratch of the next read.
  const [shared, sharedWide] = [one.x.slice(), one.wide?.slice()]
  const { rows, tasks, x, xWidth, wide } = embedded.read(otherSlots(features, isShared), edit)
  if (wide !== undefined && sharedWide !== undefined) {
    for (let i = 0; i < rows * tasks; i++) wide[i] = wide[i]! + sharedWide[i % tasks]!
  }
  const width = (shared.length + xWidth) / isShared.length
  let [same, other] = [0, 0]
  const places = isShared.flatMap((isSame) =>
    Array.from({ length: width }, () => (isSame ? -1 - same++ : other++)),
  )
  return { rows, x: { rows, places, varying: x, shared }, wide }
}
