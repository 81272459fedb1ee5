/**
 * @file How much two tasks' labels go together, from a stream: decayed sums over the rows where both labels are known, and from
 * them |Pearson| or |cosine| (phi of DEPHN, IJCNN 2023, eq. 8 and 9).
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Stage } from '../stage.ts'

/** phi: which association of two label vectors. Both lie in [0, 1]; 0 where it is not defined. */
export type Association = 'pearson' | 'cosine'

const SUMS = 6 // n, a, b, a^2, b^2, a b

/**
 * Decayed sums for every pair of tasks. `decay` is applied once per batch, so with decay 0 the associations are those of the last
 * batch. A pair seen on fewer than `support` (decayed) rows has association 0.
 */
export class LabelAssociation implements Stage {
  readonly #tasks: number
  readonly #decay: number
  readonly #support: number
  readonly #sums: Float64Array

  constructor(tasks: number, decay: number, support: number) {
    this.#tasks = tasks
    this.#decay = decay
    this.#support = support
    this.#sums = new Float64Array(((tasks * (tasks - 1)) / 2) * SUMS)
  }

  /** Task-major labels and masks: entry t * rows + i is task t of row i. */
  observe(labels: ArrayLike<number>, mask: ArrayLike<number>, rows: number): void {
    const sums = this.#sums
    for (let i = 0; i < sums.length; i++) sums[i]! *= this.#decay
    for (let later = 1; later < this.#tasks; later++) {
      for (let earlier = 0; earlier < later; earlier++) {
        this.#add(earlier, later, labels, mask, rows)
      }
    }
  }

  /** phi of two different tasks, in either order. */
  of(one: number, other: number, association: Association): number {
    if (one === other) throw new MillraceError('USAGE', `association of task ${one} with itself`)
    const at = pairIndex(Math.min(one, other), Math.max(one, other)) * SUMS
    const [n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0] = this.#sums.subarray(at, at + SUMS)
    if (n === 0 || n < this.#support) return 0
    return association === 'cosine' ? ratio(ab, aa, bb) : pearson(n, a, b, aa, bb, ab)
  }

  snapshot(): Uint8Array {
    return new ByteWriter(this.#sums.byteLength + 16).array(this.#sums).finish()
  }

  restore(bytes: Uint8Array): void {
    const sums = new ByteReader(bytes).float64()
    if (sums.length !== this.#sums.length) {
      throw new MillraceError('CORRUPT', 'the saved label associations are of other tasks')
    }
    this.#sums.set(sums)
  }

  #add(
    earlier: number,
    later: number,
    labels: ArrayLike<number>,
    mask: ArrayLike<number>,
    rows: number,
  ): void {
    const sums = this.#sums
    const at = pairIndex(earlier, later) * SUMS
    for (let row = 0; row < rows; row++) {
      const i = earlier * rows + row
      const j = later * rows + row
      if (mask[i] === 0 || mask[j] === 0) continue
      const a = labels[i]!
      const b = labels[j]!
      sums[at]! += 1
      sums[at + 1]! += a
      sums[at + 2]! += b
      sums[at + 3]! += a * a
      sums[at + 4]! += b * b
      sums[at + 5]! += a * b
    }
  }
}

/** Pairs in the order (0,1) (0,2) (1,2) (0,3) ...: adding a task adds at the end. */
function pairIndex(earlier: number, later: number): number {
  return (later * (later - 1)) / 2 + earlier
}

function pearson(n: number, a: number, b: number, aa: number, bb: number, ab: number): number {
  return ratio(ab / n - (a / n) * (b / n), aa / n - (a / n) ** 2, bb / n - (b / n) ** 2)
}

/** |product| / sqrt(left * right), at most 1; 0 when a label is constant. */
function ratio(product: number, left: number, right: number): number {
  const constant = 1e-12 // labels are of order 1: less variance than this is rounding
  if (left <= constant || right <= constant) return 0
  return Math.min(1, Math.abs(product) / Math.sqrt(left * right))
}
