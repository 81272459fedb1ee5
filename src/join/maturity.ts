/** @file When the rows of an impression leave and which labels each knows (streaming.md e.5: partial maturity). */

import type { Emission, JoinTask } from './options.ts'
import { longestWindowMs } from './options.ts'

/** A point in the life of every impression at which one row of it leaves. */
export interface Maturity {
  /** After the impression. */
  readonly afterMs: number
  /** 1 for the tasks that this row knows. */
  readonly mask: Uint8Array
}

/**
 * `wait`: one row with every label at the longest window's end. `staged`: a row at each distinct window's end with the
 * tasks whose window it is, so that each label is in exactly one row. Ascending in time.
 */
export function maturitiesOf(tasks: readonly JoinTask[], emission: Emission): Maturity[] {
  if (emission === 'wait') {
    return [{ afterMs: longestWindowMs(tasks), mask: new Uint8Array(tasks.length).fill(1) }]
  }
  const windowsMs = [...new Set(tasks.map((task) => task.windowMs))].sort((a, b) => a - b)
  return windowsMs.map((afterMs) => ({
    afterMs,
    mask: Uint8Array.from(tasks, (task) => (task.windowMs === afterMs ? 1 : 0)),
  }))
}
