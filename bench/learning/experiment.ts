/** @file What an experiment on learning is: one file each, one table each in docs/learning.md. */

import type { Engine } from '../../src/tensors/engine.ts'

/** What an experiment runs with. */
export interface Laboratory {
  readonly engine: Engine
  /** Impressions of a simulated world; tests and quick looks take fewer. */
  readonly impressions: number
}

/** One row of the table by column; a number is shown with the column's digits, an absent value as a dash. */
export type Row = Readonly<Record<string, number | string | undefined>>

export interface Column {
  readonly name: string
  /** Digits behind the point; absent: text or a whole number. */
  readonly digits?: number
}

/** A table of a page, written between `<!-- generated: learning NAME -->` and `<!-- end -->`. */
export interface Experiment {
  readonly name: string
  /** What is asked, one sentence. */
  readonly question: string
  readonly columns: readonly Column[]
  /** Where its table stands; docs/learning.md unless given. */
  readonly page?: string
  readonly run: (laboratory: Laboratory) => Promise<readonly Row[]>
}
