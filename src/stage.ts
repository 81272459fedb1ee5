/** @file What every step on the data's path has in common: state that can be written down and read back. */

import type { Slices } from './slices.ts'

/**
 * A stage holds state over time and knows nothing of RxJS, brokers or clocks. Restoring a snapshot taken after any prefix
 * of the input, then feeding the rest, gives the outputs of an uninterrupted run (law 2). Snapshots of equal states are
 * equal bytes, so that a hash of them proves equality.
 */
export interface Stage {
  /** The whole state; the caller owns the bytes. */
  snapshot(): Uint8Array
  /** The same in slices, of a stage that holds much; it must not be fed in between. */
  snapshotting?(): Slices<Uint8Array>
  /** Replaces the state by one that `snapshot()` gave; throws CORRUPT when the bytes are not one. */
  restore(bytes: Uint8Array): void
}
