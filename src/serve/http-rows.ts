/** @file The body of a request to score: JSON to feature rows, or the first fault with the row and the field that has it. */

import type { FeatureOptions } from '../features/feature-options.ts'
import type { FeatureSpec } from '../features/feature-spec.ts'
import { numberOf } from '../features/number-value.ts'
import type { FeatureRow } from '../features/slot-encoders.ts'
import { isAbsent } from '../features/value-key.ts'
import { writtenTime } from '../time.ts'

/** What is taken of a body. */
export interface RowRules {
  /** Most rows of one request. */
  readonly maxRows: number
  /** Field of a row with its event time: Unix ms, or ISO 8601 with a zone. */
  readonly timeField: string
}

/** The rows, or what is wrong with the body. */
export type ReadRows =
  | { readonly kind: 'rows'; readonly rows: readonly FeatureRow[] }
  | { readonly kind: 'fault'; readonly status: 400 | 413; readonly message: string }

/** A schema of JSON Schema 2020-12, as OpenAPI 3.1 has them. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What a field may hold, once to be checked and once to be shown. */
interface FieldType {
  readonly fits: (value: unknown) => boolean
  /** Ends the sentence "rows[3].age is ..., ". */
  readonly wanted: string
  readonly schema: JsonSchema
}

interface FieldRule extends FieldType {
  readonly field: string
}

/** Values in messages are cut to this many characters. */
const SHOWN_CHARACTERS = 60

/**
 * Reads bodies for one feature spec. A field that is absent is legal, as it is for the trainer; one that the trainer would
 * count as ill-typed is a fault here, because somebody can still put it right. Fields that no feature reads are ignored.
 */
export class RowReader {
  readonly #rules: RowRules
  readonly #fields: readonly FieldRule[]

  constructor(spec: FeatureSpec, rules: RowRules) {
    this.#rules = rules
    this.#fields = spec.features.flatMap(fieldRules)
  }

  /** Of one row. */
  get schema(): JsonSchema {
    const { timeField } = this.#rules
    const fields = this.#fields.map(({ field, wanted, schema }) => [
      field,
      { description: wanted, anyOf: [schema, { type: 'null' }] },
    ])
    return {
      type: 'object',
      required: [timeField],
      properties: { [timeField]: TIME, ...Object.fromEntries(fields) },
    }
  }

  read(body: unknown): ReadRows {
    const { maxRows } = this.#rules
    const rows = isObject(body) ? body.rows : undefined
    if (!Array.isArray(rows)) return fault('the body must be {"rows": [{...}, ...]}')
    if (rows.length > maxRows) {
      return { ...fault(`${rows.length} rows, at most ${maxRows} in one request`), status: 413 }
    }
    const read: FeatureRow[] = []
    for (const [index, row] of rows.entries()) {
      const one = this.#readRow(row, `rows[${index}]`)
      if (typeof one === 'string') return fault(one)
      read.push(one)
    }
    return { kind: 'rows', rows: read }
  }

  /** The row, or what is wrong with it. */
  #readRow(row: unknown, place: string): FeatureRow | string {
    if (!isObject(row)) return `${place} is ${shown(row)}, must be an object`
    const { timeField } = this.#rules
    const time = writtenTime(row[timeField])
    if (time === undefined) {
      const found = shown(row[timeField])
      return `${place}.${timeField} is ${found}, must be the event time: Unix milliseconds, or ISO 8601 with a zone`
    }
    for (const { field, fits, wanted } of this.#fields) {
      const value = row[field]
      if (!isAbsent(value) && !fits(value)) {
        return `${place}.${field} is ${shown(value)}, must be ${wanted}`
      }
    }
    return { fields: row, time }
  }
}

function fault(message: string): { kind: 'fault'; status: 400; message: string } {
  return { kind: 'fault', status: 400, message }
}

function fieldRules(feature: FeatureOptions): FieldRule[] {
  const from = ('from' in feature ? feature.from : undefined) ?? feature.name
  switch (feature.kind) {
    case 'id':
      return [{ field: feature.from ?? feature.name, ...ID }]
    case 'ids':
      return [from].flat().map((field) => ({ field, ...BAG }))
    case 'number':
    case 'bucket':
      return [from].flat().map((field) => ({ field, ...NUMBER }))
    case 'cross':
    case 'hour':
    case 'weekday':
    case 'rate':
    case 'last_seen':
    case 'history':
      return []
  }
}

const ID: FieldType = {
  fits: isId,
  wanted: 'a text, a boolean or a number (a whole one beyond 2^53 as a text)',
  schema: { type: ['string', 'boolean', 'number'] },
}

const BAG: FieldType = {
  fits: isBag,
  wanted: `${ID.wanted}, or a list of them`,
  schema: {
    anyOf: [ID.schema, { type: 'array', items: { anyOf: [ID.schema, { type: 'null' }] } }],
  },
}

const NUMBER: FieldType = {
  fits: isNumber,
  wanted: 'a number',
  schema: { type: ['number', 'boolean'] },
}

const TIME: JsonSchema = {
  description: 'the event time: Unix milliseconds, or ISO 8601 with a zone',
  anyOf: [{ type: 'number' }, { type: 'string', format: 'date-time' }],
}

/** JSON cannot carry a larger whole number exactly: it would score another id without a word. */
function isId(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return true
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
}

function isBag(value: unknown): boolean {
  return Array.isArray(value) ? value.every((one) => isAbsent(one) || isId(one)) : isId(value)
}

function isNumber(value: unknown): boolean {
  return numberOf(value) !== undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Lists and objects are not spelled out: they may be as deep as the body is long. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  if (Array.isArray(value)) return 'a list'
  if (isObject(value)) return 'an object'
  const text = JSON.stringify(value)
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}...`
}
