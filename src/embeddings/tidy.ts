/** @file Gives rows up between two mini-batches: those that are too old, and, near the bound, those that matter least. */

import { LIFE_WORDS } from './columns.ts'
import type { EmbeddingTable } from './table.ts'
import { allRows } from './table-rows.ts'

/** Rows in use after room was made, as a share of the capacity; room is made when fewer than half of the rest are left. */
const KEEP = 0.9

/** What a row in use is judged by. */
interface Judged {
  readonly row: number
  readonly minute: number
  readonly score: number
}

/** Follows from the state of the table alone; no row of a batch may be held while it runs. */
export function tidy(table: EmbeddingTable): void {
  const { life } = table
  if (life === undefined) return
  if (life.sweepDue()) {
    for (const { row, minute } of judged(table)) if (life.isExpired(minute)) drop(table, row, 'age')
  }
  if (table.used <= life.capacity * ((1 + KEEP) / 2)) return
  const ranked = judged(table).map(({ row, minute, score }) => ({
    row,
    score: life.scoreNow(score, minute),
  }))
  // Rows of equal score leave by their number, so that the order is total.
  ranked.sort((a, b) => a.score - b.score || a.row - b.row)
  const leaving = ranked.slice(0, table.used - Math.floor(life.capacity * KEEP))
  for (const { row } of leaving) drop(table, row, 'score')
}

function judged(table: EmbeddingTable): Judged[] {
  const { lifeAt } = table.columns
  if (lifeAt === undefined) return []
  const words = new Uint32Array(LIFE_WORDS)
  const floats = new Float32Array(words.buffer)
  const found: Judged[] = []
  for (const row of allRows(table)) {
    table.readWords(row, lifeAt, LIFE_WORDS, words, 0)
    found.push({ row, minute: words[0]!, score: floats[1]! })
  }
  return found
}

function drop(table: EmbeddingTable, row: number, reason: 'age' | 'score'): void {
  table.remove(...table.keyOf(row), reason)
}
