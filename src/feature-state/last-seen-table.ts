/** @file When a key was last seen: the newest impression time of each key, as an input between 0 (never) and 1 (just now). */

import type { DietOptions } from '../embeddings/diet-options.ts'
import type { EmbeddingTable } from '../embeddings/table.ts'
import type { SlotKeys } from '../features/encoded-batch.ts'
import type { LastSeenOptions } from '../features/state-options.ts'
import type { EventTime } from '../time.ts'
import { rowOf, stateTable } from './state-table.ts'
import { readTime, TIME_COLUMNS, writeTime } from './stored-time.ts'

const MINUTE_MS = 60_000

/** A row holds a time. Input: 1 / (1 + log(1 + t / scale)), of a bag the largest over its keys. */
export class LastSeenTable {
  readonly table: EmbeddingTable
  readonly columns = 1
  readonly #scaleMs: number

  constructor(options: LastSeenOptions, diet?: DietOptions) {
    this.table = stateTable(TIME_COLUMNS, diet)
    this.#scaleMs = options.scale_minutes * MINUTE_MS
  }

  read(keys: SlotKeys, row: number, time: EventTime, out: Float32Array, at: number): void {
    let newest = 0
    for (let k = keys.starts[row]!; k < keys.starts[row + 1]!; k++) {
      const found = this.table.findOne(keys.hi[k]!, keys.lo[k]!)
      if (found < 0) continue
      const elapsed = Math.max(0, time - readTime(this.table.valuesOf(found), 0))
      newest = Math.max(newest, 1 / (1 + Math.log1p(elapsed / this.#scaleMs)))
    }
    out[at] = newest
  }

  learn(keys: SlotKeys, row: number, time: EventTime): void {
    for (let k = keys.starts[row]!; k < keys.starts[row + 1]!; k++) {
      const [hi, lo] = [keys.hi[k]!, keys.lo[k]!]
      const found = rowOf(this.table, hi, lo)
      if (found < 0 || readTime(this.table.valuesOf(found), 0) >= time) continue
      writeTime(this.table.changeValuesOf(found), 0, time)
    }
  }
}
