/**
 * @file Population stability index per feature, PSI = sum_b (a_b - b_b) ln(a_b / b_b): the last rows against what came before them,
 * which fades. Whole batches are taken in; nothing is made per row.
 */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { EncodedFeatures } from '../features/encoded-batch.ts'
import type { FeatureSpec } from '../features/feature-spec.ts'
import type { FeatureShift } from '../health.ts'

/** Keys fall into bins by hash, numbers by value: what moves between bins is seen, what moves inside one is not. */
const BIN_BITS = 4
const BINS = 1 << BIN_BITS
/** Added to every count, so that an empty bin is no infinity. */
const SMOOTHING = 0.5
/** What is left of the past's counts when new ones are added to them: some ten blocks are remembered. */
const KEPT = 0.9

/** A slot or a dense column. */
interface Watched {
  readonly name: string
  readonly slot: number | undefined
  readonly column: number
}

/** Counts of features x bins. */
export class FeatureShifts {
  readonly #watched: readonly Watched[]
  readonly #blockRows: number
  readonly #past: Float64Array
  readonly #block: Float64Array
  /** Per feature; NaN until there was a past to compare with. */
  readonly #psi: Float64Array
  #rows = 0
  #blocks = 0

  constructor(spec: FeatureSpec, blockRows: number) {
    this.#watched = watchedOf(spec)
    this.#blockRows = blockRows
    this.#past = new Float64Array(this.#watched.length * BINS)
    this.#block = new Float64Array(this.#watched.length * BINS)
    this.#psi = new Float64Array(this.#watched.length).fill(Number.NaN)
  }

  observe({ rows, slots, dense, denseWidth }: EncodedFeatures): void {
    for (const [i, { slot, column }] of this.#watched.entries()) {
      const keys = slot === undefined ? undefined : slots[slot]?.hi
      if (keys === undefined) countValues(this.#block, i * BINS, { dense, denseWidth, column })
      else countKeys(this.#block, i * BINS, keys)
    }
    this.#rows += rows
    if (this.#rows >= this.#blockRows) this.#compare()
  }

  shifts(): FeatureShift[] {
    return this.#watched.map(({ name }, i) => {
      const psi = this.#psi[i]!
      return { feature: name, psi: Number.isNaN(psi) ? undefined : psi }
    })
  }

  write(writer: ByteWriter): void {
    writer.array(this.#past).array(this.#block).array(this.#psi)
    writer.f64(this.#rows).f64(this.#blocks)
  }

  read(reader: ByteReader): void {
    const [past, block, psi] = [reader.float64(), reader.float64(), reader.float64()]
    if (psi.length !== this.#psi.length) {
      throw new MillraceError(
        'CORRUPT',
        `shifts of ${psi.length} features, not of ${this.#psi.length}`,
      )
    }
    this.#past.set(past)
    this.#block.set(block)
    this.#psi.set(psi)
    this.#rows = reader.f64()
    this.#blocks = reader.f64()
  }

  #compare(): void {
    for (const i of this.#watched.keys()) {
      const [from, to] = [i * BINS, (i + 1) * BINS]
      if (this.#blocks > 0) {
        this.#psi[i] = psi(this.#past.subarray(from, to), this.#block.subarray(from, to))
      }
    }
    for (let i = 0; i < this.#past.length; i++) {
      this.#past[i] = KEPT * this.#past[i]! + this.#block[i]!
    }
    this.#block.fill(0)
    this.#rows = 0
    this.#blocks += 1
  }
}

/** PSI of two lists of counts; below 0.1 stable, above 0.25 a large shift. */
export function psi(before: ArrayLike<number>, after: ArrayLike<number>): number {
  const [allBefore, allAfter] = [smoothedSum(before), smoothedSum(after)]
  let sum = 0
  for (let bin = 0; bin < before.length; bin++) {
    const b = (before[bin]! + SMOOTHING) / allBefore
    const a = (after[bin]! + SMOOTHING) / allAfter
    sum += (a - b) * Math.log(a / b)
  }
  return sum
}

function smoothedSum(counts: ArrayLike<number>): number {
  let sum = 0
  for (let bin = 0; bin < counts.length; bin++) sum += counts[bin]! + SMOOTHING
  return sum
}

/** Everything but the clock and what is crossed with it, which move by themselves. */
function watchedOf({ features, slots, denseNames }: FeatureSpec): Watched[] {
  const clocks = new Set<string>()
  for (const feature of features) {
    const { kind, name } = feature
    const isClock = kind === 'hour' || kind === 'weekday'
    if (isClock || (kind === 'cross' && feature.of.some((one) => clocks.has(one)))) clocks.add(name)
  }
  return [
    ...slots.map(({ name }, slot) => ({ name, slot, column: 0 })),
    ...denseNames.map((name, column) => ({ name, slot: undefined, column })),
  ].filter(({ name }) => !clocks.has(name))
}

/** The keys are hashes: their first bits are a fair bin. */
function countKeys(counts: Float64Array, at: number, keys: Uint32Array): void {
  for (let i = 0; i < keys.length; i++) counts[at + (keys[i]! >>> (32 - BIN_BITS))]! += 1
}

/** Standardised numbers spread over the bins; a bin is narrow around 0 and wide far from it. */
function countValues(
  counts: Float64Array,
  at: number,
  { dense, denseWidth, column }: Pick<EncodedFeatures, 'dense' | 'denseWidth'> & { column: number },
): void {
  for (let i = column; i < dense.length; i += denseWidth) {
    const share = 0.5 + Math.atan(dense[i]!) / Math.PI
    counts[at + Math.min(BINS - 1, Math.floor(share * BINS))]! += 1
  }
}
