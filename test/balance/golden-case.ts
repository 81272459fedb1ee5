/** @file Reading a balancer's golden file: untyped JSON narrowed into arrays and numbers, with errors that name the entry. */

import { expect } from 'vitest'

/** `{shape, data}` of the file format. */
export interface GoldenArray {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

/** One entry of `steps`, or `config`, `expected`: looked up by name. */
export type Entries = Readonly<Record<string, unknown>>

/** One golden file. */
export interface GoldenCase {
  readonly method: string
  readonly case: string
  readonly stateful: boolean
  readonly config: Entries
  readonly steps: readonly Entries[]
}

/** What an implementation computed for one step, under the names of `expected`. */
export type Actual = Readonly<Record<string, ArrayLike<number>>>

/** A golden array's numbers. */
export function arrayIn(entries: Entries, name: string): Float64Array {
  const value = entries[name] as GoldenArray | undefined
  if (!Array.isArray(value?.data)) throw new Error(`'${name}' is no golden array`)
  return Float64Array.from(value.data as number[])
}

/** A number. */
export function numberIn(entries: Entries, name: string): number {
  const value = entries[name]
  if (typeof value !== 'number') throw new Error(`'${name}' is no number`)
  return value
}

/** Visiting orders and segment lengths, which the files keep as plain lists. */
export function listIn<Item>(entries: Entries, name: string): readonly Item[] {
  const value = entries[name]
  if (!Array.isArray(value)) throw new Error(`'${name}' is no list`)
  return value as Item[]
}

/** Every entry of `expected` must have been computed, to `relative` of its largest number. */
export function expectAgreement(
  actual: Actual,
  expected: Entries,
  relative: number,
  where: string,
): void {
  for (const [name, wanted] of Object.entries(expected)) {
    const got = actual[name]
    if (got === undefined) throw new Error(`${where}: nothing computes expected.${name}`)
    const want = typeof wanted === 'number' ? Float64Array.of(wanted) : arrayIn(expected, name)
    expect(got.length, `${where}: length of ${name}`).toBe(want.length)
    const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const worst = want.reduce((most, value, i) => {
      return Math.max(most, Math.abs((got[i] ?? Number.NaN) - value))
    }, 0)
    expect(worst, `${where}: ${name} is off`).toBeLessThanOrEqual(relative * largest + 1e-300)
  }
}
