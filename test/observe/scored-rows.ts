/** @file Generated predictions and their cutting into batches, for the tests of everything that collects predictions. */

import fc from 'fast-check'
import type { ScoredBatch } from '../../src/observe/scored-batch.ts'

/** One row: for each task a probability, a label and whether it is known. */
export interface ScoredRow {
  readonly probabilities: readonly number[]
  readonly labels: readonly number[]
  readonly known: readonly number[]
}

export function scoredRows(tasks: number, maxLength: number): fc.Arbitrary<ScoredRow[]> {
  const each = <Value>(value: fc.Arbitrary<Value>) =>
    fc.array(value, { minLength: tasks, maxLength: tasks })
  const row = fc.record({
    probabilities: each(fc.integer({ min: 0, max: 64 }).map((n) => n / 64)),
    labels: each(fc.nat(1)),
    known: each(fc.nat(1)),
  })
  return fc.array(row, { maxLength })
}

export function batchOf(rows: readonly ScoredRow[], tasks: number): ScoredBatch {
  const batch = {
    rows: rows.length,
    probabilities: new Float32Array(rows.length * tasks),
    labels: new Float32Array(rows.length * tasks),
    mask: new Float32Array(rows.length * tasks),
  }
  rows.forEach((row, i) => {
    for (let task = 0; task < tasks; task++) {
      const at = task * rows.length + i
      batch.probabilities[at] = row.probabilities[task] ?? 0
      // An unknown label may hold anything.
      batch.labels[at] = row.known[task] === 1 ? (row.labels[task] ?? 0) : Number.NaN
      batch.mask[at] = row.known[task] ?? 0
    }
  })
  return batch
}

/** Cuts a list at the given places (any numbers). */
export function cut<Entry>(list: readonly Entry[], places: readonly number[]): Entry[][] {
  const bounds = places.map((place) => place % (list.length + 1)).sort((a, b) => a - b)
  const starts = [0, ...bounds]
  return starts.map((start, i) => list.slice(start, starts[i + 1] ?? list.length))
}
