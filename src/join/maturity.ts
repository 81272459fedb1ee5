/** @file When the rows of an impression leave and which labels each knows (streaming.md e.5: partial maturity). */

import type { RowRole } from './join-outputs.ts'
import { type JoinOptions, type JoinTask, longestWindowMs } from './options.ts'

/** A point in the life of every impression at which one row of it leaves. */
export interface Maturity {
  /** After the impression. */
  readonly afterMs: number
  readonly role: RowRole
  /** 1 for the tasks that this row knows; of a provisional row those that it teaches. */
  readonly mask: Uint8Array
}

/**
 * `wait`: one row with every label at the longest window's end. `staged`: a row at each distinct window's end with the
 * tasks whose window it is, so that each label is in exactly one row. `fast`: the same rows to judge by, and before them the
 * provisional one at `observeMs`, unless that is 0: then it leaves with the impression itself. Ascending in time.
 */
export function maturitiesOf({ tasks, emission, observeMs = 0 }: JoinOptions): Maturity[] {
  const all = new Uint8Array(tasks.length).fill(1)
  if (emission === 'wait') return [{ afterMs: longestWindowMs(tasks), role: 'final', mask: all }]
  const provisional: Maturity = { afterMs: observeMs, role: 'provisional', mask: all }
  const ends = windowEnds(tasks, emission === 'fast' ? 'matured' : 'final')
  return emission === 'fast' && observeMs > 0 ? [provisional, ...ends] : ends
}

function windowEnds(tasks: readonly JoinTask[], role: RowRole): Maturity[] {
  const windowsMs = [...new Set(tasks.map((task) => task.windowMs))].sort((a, b) => a - b)
  return windowsMs.map((afterMs) => ({
    afterMs,
    role,
    mask: Uint8Array.from(tasks, (task) => (task.windowMs === afterMs ? 1 : 0)),
  }))
}
