/** @file The last items that a key, such as a user, acted on: newest first, each once, as keys of the embedding table. */

import type { DietOptions } from '../embeddings/diet-options.ts'
import type { SlotKeys } from '../features/encoded-batch.ts'
import type { HistoryOptions } from '../features/state-options.ts'
import { rowOf, stateTable } from './state-table.ts'

/** A row holds `last` keys, hi and lo, their 32-bit words in the place of floats; two zeros where there is none yet. */
export class HistoryTable {
  readonly table
  readonly #last: number

  constructor({ last }: HistoryOptions, diet?: DietOptions) {
    this.#last = last
    this.table = stateTable(2 * last, diet)
  }

  /** Writes the words of the row's first key to out[at ..]; zeros for a key without a row. */
  read(keys: SlotKeys, row: number, out: Uint32Array, at: number): void {
    const key = keys.starts[row]!
    const found = this.table.findOne(keys.hi[key]!, keys.lo[key]!)
    if (found >= 0) out.set(wordsOf(this.table.valuesOf(found)), at)
    else out.fill(0, at, at + 2 * this.#last)
  }

  /** Puts the item of the row in front; the oldest leaves when there is no more room. */
  learn(keys: SlotKeys, items: SlotKeys, row: number): void {
    const key = keys.starts[row]!
    const item = items.starts[row]!
    const [hi, lo] = [items.hi[item]!, items.lo[item]!]
    const found = rowOf(this.table, keys.hi[key]!, keys.lo[key]!)
    if (found < 0) return
    const words = wordsOf(this.table.changeValuesOf(found))
    let place = 0
    while (place < this.#last - 1 && !(words[2 * place] === hi && words[2 * place + 1] === lo)) {
      place += 1
    }
    words.copyWithin(2, 0, 2 * place)
    words[0] = hi
    words[1] = lo
  }
}

function wordsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length)
}
