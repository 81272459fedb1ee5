/**
 * @file Finds single fields inside a framed Avro record without decoding the others, and proves on the way that the whole
 * record would decode: the hot path needs an event's id, key and time long before anybody looks at its other fields.
 */

import type { AvroSchema } from './avro-schema.ts'

/** What a found field holds: text, or a whole number. A nullable field that is null is not found. */
export type FoundType = 'text' | 'long'

/** A field to look for, and what it may be. */
export interface WantedField {
  readonly name: string
  readonly types: readonly FoundType[]
}

/**
 * Moves past one value of a record that ends before `end`; a negative number when it may be unsound. May refuse what would
 * decode, never the opposite. A step may look at bytes behind the end: whoever takes more than there are is told so in the end.
 */
type Skip = (bytes: Uint8Array, at: number, end: number) => number

const UNSOUND = -1
/** Longest varint that is read here: 2^49 and above, negative numbers included, are left to the decoder. */
const LONGEST = 7

interface Wanted {
  /** Place in the record. */
  readonly field: number
  /** Which branch of the field's union holds the value; -1 when it is no union. */
  readonly branch: number
  readonly type: FoundType
}

/** One schema, one list of fields. */
export class FieldFinder {
  readonly #header: Uint8Array
  readonly #skips: readonly Skip[]
  readonly #wanted: readonly Wanted[]
  readonly #starts: Int32Array

  private constructor(header: Uint8Array, skips: readonly Skip[], wanted: readonly Wanted[]) {
    this.#header = header
    this.#skips = skips
    this.#wanted = wanted
    this.#starts = new Int32Array(skips.length)
  }

  /** Undefined when a field has another type than wanted, or the schema has types that are not skipped here. */
  static of(
    schema: AvroSchema,
    header: Uint8Array,
    fields: readonly WantedField[],
  ): FieldFinder | undefined {
    const record = JSON.parse(schema.canonical) as RecordSchema
    const named = new Map<string, Skip>()
    const skips: Skip[] = []
    for (const { type } of record.fields) {
      const skip = skipOf(type, named)
      if (skip === undefined) return undefined
      skips.push(skip)
    }
    const wanted: Wanted[] = []
    for (const { name, types } of fields) {
      const field = record.fields.findIndex((one) => one.name === name)
      const type = types.find((one) => branchOf(record.fields[field]?.type, one) !== undefined)
      if (type === undefined) return undefined
      wanted.push({ field, type, branch: branchOf(record.fields[field]?.type, type) ?? -1 })
    }
    return new FieldFinder(header, skips, wanted)
  }

  /** What each wanted field is, in their order. */
  get types(): readonly FoundType[] {
    return this.#wanted.map(({ type }) => type)
  }

  /**
   * Writes where each wanted field's value of the record in `bytes[from, end)` begins to `places`. False when the bytes are not
   * this schema's, may be unsound or have a null in a wanted field: then only decoding tells. True: decoding gives a value, with
   * these fields in it.
   */
  find(bytes: Uint8Array, places: Int32Array, from = 0, end = bytes.length): boolean {
    const header = this.#header
    let at = from + header.length
    if (at > end) return false
    for (let i = 0; i < header.length; i++) if (bytes[from + i] !== header[i]) return false
    const skips = this.#skips
    const starts = this.#starts
    for (let field = 0; field < skips.length; field++) {
      starts[field] = at
      at = skips[field]!(bytes, at, end)
      if (at < 0) return false
    }
    if (at !== end) return false
    for (let i = 0; i < this.#wanted.length; i++) {
      const { field, branch } = this.#wanted[i]!
      const start = starts[field]!
      if (branch >= 0 && bytes[start] !== branch << 1) return false
      places[i] = branch >= 0 ? start + 1 : start
    }
    return true
  }
}

/** The bytes of a found text: where they begin; their number is what `textLength` gives. */
export function textStart(bytes: Uint8Array, at: number): number {
  let next = at
  while (bytes[next]! >= 0x80) next++
  return next + 1
}

/** The number of bytes of a found text. */
export function textLength(bytes: Uint8Array, at: number): number {
  return longAt(bytes, at)
}

/** A found whole number. */
export function longAt(bytes: Uint8Array, at: number): number {
  let value = 0
  let factor = 1
  for (let next = at; ; next++) {
    const byte = bytes[next]!
    value += (byte & 0x7f) * factor
    if (byte < 0x80) break
    factor *= 128
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

type JsonSchema = string | JsonSchema[] | NamedSchema
interface NamedSchema {
  readonly type: JsonSchema
  readonly name?: string
  readonly items?: JsonSchema
  readonly values?: JsonSchema
  readonly symbols?: readonly string[]
  readonly size?: number
  readonly fields?: RecordSchema['fields']
}
interface RecordSchema {
  readonly fields: readonly { readonly name: string; readonly type: JsonSchema }[]
}

function branchOf(type: JsonSchema | undefined, wanted: FoundType): number | undefined {
  const avro = wanted === 'text' ? 'string' : 'long'
  const holds = (one: JsonSchema): boolean =>
    one === avro || (typeof one === 'object' && !Array.isArray(one) && one.type === avro)
  if (type === undefined) return undefined
  if (!Array.isArray(type)) return holds(type) ? -1 : undefined
  const branch = type.findIndex(holds)
  return branch < 0 || branch > 63 ? undefined : branch
}

function skipOf(schema: JsonSchema, named: Map<string, Skip>): Skip | undefined {
  if (typeof schema === 'string') return primitives[schema] ?? named.get(schema)
  if (Array.isArray(schema)) return skipUnion(schema, named)
  const { type, name, items, values, symbols, size, fields } = schema
  if (typeof type !== 'string') return skipOf(type, named)
  const skip = ((): Skip | undefined => {
    switch (type) {
      case 'array':
        return items === undefined ? undefined : skipBlocks(skipOf(items, named))
      case 'map':
        return values === undefined ? undefined : skipBlocks(skipOf(values, named), skipText)
      case 'enum':
        return (bytes, at) =>
          bytes[at]! >> 1 < (symbols?.length ?? 0) ? skipSmall(bytes, at) : UNSOUND
      case 'fixed':
        return skipFixed(size ?? 0)
      case 'record':
        return skipRecord(fields ?? [], named)
      default:
        return primitives[type]
    }
  })()
  if (name !== undefined && skip !== undefined) named.set(name, skip)
  return skip
}

const primitives: Readonly<Record<string, Skip>> = {
  null: (_bytes, at) => at,
  boolean: (bytes, at) => (bytes[at]! <= 1 ? at + 1 : UNSOUND),
  int: skipInt,
  long: skipLong,
  float: skipFixed(4),
  double: skipFixed(8),
  string: skipText,
  bytes: skipText,
}

function skipFixed(size: number): Skip {
  return (_bytes, at, end) => (at + size <= end ? at + size : UNSOUND)
}

function skipLong(bytes: Uint8Array, at: number): number {
  for (let next = at; next < at + LONGEST; next++) {
    // Beyond the last byte there is undefined, which is no number below 128.
    if (bytes[next]! < 0x80) return next + 1
  }
  return UNSOUND
}

/** Four bytes hold 28 bits: an int of any sign. Longer ones are left to the decoder. */
function skipInt(bytes: Uint8Array, at: number): number {
  for (let next = at; next < at + 4; next++) if (bytes[next]! < 0x80) return next + 1
  return UNSOUND
}

/** One byte, an even one: a small number that is not negative. */
function skipSmall(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]!
  return byte < 0x80 && (byte & 1) === 0 ? at + 1 : UNSOUND
}

function skipText(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!
  if (first < 0x80) {
    const next = at + 1 + (first >> 1)
    return (first & 1) === 0 && next <= end ? next : UNSOUND
  }
  const next = skipInt(bytes, at)
  if (next < 0) return UNSOUND
  const length = longAt(bytes, at)
  return length >= 0 && next + length <= end ? next + length : UNSOUND
}

function skipUnion(schemas: readonly JsonSchema[], named: Map<string, Skip>): Skip | undefined {
  const branches: Skip[] = []
  for (const schema of schemas) {
    const skip = skipOf(schema, named)
    if (skip === undefined) return undefined
    branches.push(skip)
  }
  return (bytes, at, end) => {
    const next = skipSmall(bytes, at)
    if (next < 0) return UNSOUND
    const branch = branches[bytes[at]! >> 1]
    return branch === undefined ? UNSOUND : branch(bytes, next, end)
  }
}

/** Blocks of items until an empty one. A block that states its size, and one of more than 63 items, are left to the decoder. */
function skipBlocks(item: Skip | undefined, before: Skip = stay): Skip | undefined {
  if (item === undefined) return undefined
  const entry: Skip = (bytes, at, end) => {
    const next = before(bytes, at, end)
    return next < 0 ? UNSOUND : item(bytes, next, end)
  }
  return (bytes, from, end) => {
    for (let at = from; at >= 0; ) {
      const next = skipSmall(bytes, at)
      if (next < 0) return UNSOUND
      const count = bytes[at]! >> 1
      if (count === 0) return next
      // Items without bytes: the decoder refuses more of them than bytes are left.
      at = count > end - next ? UNSOUND : next
      for (let i = 0; i < count && at >= 0; i++) at = entry(bytes, at, end)
    }
    return UNSOUND
  }
}

function stay(_bytes: Uint8Array, at: number): number {
  return at
}

function skipRecord(fields: RecordSchema['fields'], named: Map<string, Skip>): Skip | undefined {
  const skips: Skip[] = []
  for (const { type } of fields) {
    // A record that contains itself is not known yet here: then the schema is decoded whole.
    const skip = skipOf(type, named)
    if (skip === undefined) return undefined
    skips.push(skip)
  }
  return (bytes, from, end) => {
    let at = from
    for (const skip of skips) {
      at = skip(bytes, at, end)
      if (at < 0) return UNSOUND
    }
    return at
  }
}
