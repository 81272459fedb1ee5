/** @file What a field of sample rows holds: types, how often, how many different values. Job files are guessed from it. */

import { isoTime } from '../time.ts'

/** How a time is written, as the job file names it. */
export type TimeUnit = 'ms' | 's' | 'iso'

/** The type of a field's values, where they have one that an event schema can hold. */
export type FieldType = 'text' | 'integer' | 'number' | 'boolean' | 'texts' | 'mixed' | 'nested'

/** What is known of one field. */
export interface FieldProfile {
  readonly name: string
  readonly type: FieldType
  /** Rows with a value that is not null. */
  readonly present: number
  /** Different values, as text. */
  readonly distinct: number
  /** Set where every value reads as a time between the years 2000 and 2100. */
  readonly time: TimeUnit | undefined
  /** Median and largest absolute value of numbers; 0 without any. */
  readonly median: number
  readonly largest: number
  readonly smallest: number
}

export type Row = Readonly<Record<string, unknown>>

const YEAR_2000 = Date.UTC(2000, 0, 1)
const YEAR_2100 = Date.UTC(2100, 0, 1)

/** Profiles of every field of the rows, in the order in which the fields first appear. */
export function profileFields(rows: readonly Row[]): readonly FieldProfile[] {
  const names = new Set(rows.flatMap((row) => Object.keys(row)))
  return [...names].map((name) => profileOf(name, rows))
}

function profileOf(name: string, rows: readonly Row[]): FieldProfile {
  const values = rows
    .map((row) => (Object.hasOwn(row, name) ? row[name] : undefined))
    .filter((value) => value !== undefined && value !== null)
  const numbers = values
    .filter((value) => typeof value === 'number')
    .map(Math.abs)
    .sort((a, b) => a - b)
  return {
    name,
    type: typeOf(values),
    present: values.length,
    distinct: new Set(values.map((value) => JSON.stringify(value))).size,
    time: timeUnitOf(values),
    median: numbers[Math.floor(numbers.length / 2)] ?? 0,
    largest: numbers.at(-1) ?? 0,
    smallest: values.reduce<number>(
      (least, value) => (typeof value === 'number' ? Math.min(least, value) : least),
      Number.POSITIVE_INFINITY,
    ),
  }
}

function typeOf(values: readonly unknown[]): FieldType {
  const all = (check: (value: unknown) => boolean): boolean => values.every(check)
  if (values.length === 0) return 'mixed'
  if (all((value) => typeof value === 'string')) return 'text'
  if (all((value) => typeof value === 'boolean')) return 'boolean'
  if (all(Number.isSafeInteger)) return 'integer'
  if (all((value) => typeof value === 'number')) return 'number'
  if (all((value) => Array.isArray(value) && value.every((one) => typeof one === 'string'))) {
    return 'texts'
  }
  return values.some((value) => typeof value === 'object') ? 'nested' : 'mixed'
}

function timeUnitOf(values: readonly unknown[]): TimeUnit | undefined {
  if (values.length === 0) return undefined
  return (['ms', 's', 'iso'] as const).find((unit) =>
    values.every((value) => {
      const time = readTime(value, unit)
      return time !== undefined && time > YEAR_2000 && time < YEAR_2100
    }),
  )
}

/** A value as Unix ms, undefined where it is no time of this unit. */
export function readTime(value: unknown, unit: TimeUnit): number | undefined {
  if (unit === 'iso') {
    const time = typeof value === 'string' ? isoTime(value) : Number.NaN
    return Number.isNaN(time) ? undefined : time
  }
  if (typeof value !== 'number') return undefined
  return unit === 'ms' ? value : value * 1000
}
