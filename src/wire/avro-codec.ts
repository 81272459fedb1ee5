/** @file Values to framed bytes and back: the first and the last step on the path. Bad bytes are a value, never an exception. */

import type { Resolver, Type } from 'avsc'
import { MillraceError, messageOf } from '../errors.ts'
import type { AvroSchema } from './avro-schema.ts'
import { FieldFinder, type WantedField } from './field-finder.ts'
import type { Framing } from './framing.ts'
import { foreignHeader, frameHeader, registryId, startsWith } from './framing.ts'

/** A decoded record: plain values, longs as numbers, bytes as Uint8Array, unions without a wrapper. */
export type AvroRecord = Readonly<Record<string, unknown>>

/** What bytes turned out to be. */
export type Decoded =
  | { readonly kind: 'value'; readonly value: AvroRecord }
  | { readonly kind: 'malformed'; readonly reason: string }

/** A schema that some producer writes with, older or newer than the reader's. */
export interface WriterSchema {
  readonly schema: AvroSchema
  /** Its id in the registry; needed with `confluent` framing only. */
  readonly id?: number
}

/** What a codec is made of. */
export interface AvroCodecOptions {
  /** What `encode` writes with, and what every decoded value looks like. */
  readonly schema: AvroSchema
  /** Default `single-object`. */
  readonly framing?: Framing
  /** The registry id of `schema`; needed with `confluent` framing only, and to read not even there with `learnsWriters`. */
  readonly schemaId?: number
  /** Whether further writers become known while records are read (`learn`): from a registry. */
  readonly learnsWriters?: boolean
  /** Further schemas that are read and resolved to `schema` by Avro's rules. */
  readonly writers?: readonly WriterSchema[]
}

interface KnownWriter {
  readonly header: Uint8Array
  readonly type: Type
  /** Absent when the writer's schema is the reader's. */
  readonly resolver: Resolver | undefined
}

/** Encodes with one schema, decodes what any of the known writers wrote as that schema. */
export class AvroCodec {
  readonly schema: AvroSchema
  readonly framing: Framing
  /** Absent when the registry id of `schema` is not known. */
  readonly #header: Uint8Array | undefined
  readonly #writers: KnownWriter[]
  /** Why what some registry ids stand for cannot be read. */
  readonly #unreadable = new Map<number, string>()
  #scratch = Buffer.allocUnsafe(1024)

  /** Throws BAD_SCHEMA when a writer's values cannot be read with `schema`, BAD_SETTINGS when a registry id is missing. */
  constructor(options: AvroCodecOptions) {
    const { schema, framing = 'single-object', schemaId, writers = [], learnsWriters } = options
    this.schema = schema
    this.framing = framing
    this.#header =
      learnsWriters === true && schemaId === undefined
        ? undefined
        : frameHeader(framing, schema.fingerprint, schemaId)
    this.#writers = writers.map(({ schema: writer, id }) => ({
      header: frameHeader(framing, writer.fingerprint, id),
      type: schema.type,
      resolver: resolve(schema, writer),
    }))
    if (this.#header !== undefined) {
      this.#writers.unshift({ header: this.#header, type: schema.type, resolver: undefined })
    }
  }

  /** The registry id that these bytes name, when it is not known here what it stands for. */
  unknownId(bytes: Uint8Array): number | undefined {
    const id = registryId(bytes)
    if (id === undefined || this.#unreadable.has(id)) return undefined
    return this.#writers.some(({ header }) => startsWith(bytes, header)) ? undefined : id
  }

  /** From now on values with this registry id are read; those of a schema that cannot be read as this one's are malformed. */
  learn(id: number, writer: AvroSchema): void {
    const header = frameHeader('confluent', writer.fingerprint, id)
    try {
      this.#writers.push({
        header,
        type: this.schema.type,
        resolver: resolve(this.schema, writer),
      })
    } catch (thrown) {
      this.refuse(id, messageOf(thrown))
    }
  }

  /** From now on values with this registry id are malformed, for this reason. */
  refuse(id: number, reason: string): void {
    this.#unreadable.set(id, reason)
  }

  /**
   * The value in its frame; the caller owns the bytes. Throws BAD_INPUT naming the field that does not fit the schema, BAD_SETTINGS
   * when the registry id of the schema is not known.
   */
  encode(value: AvroRecord): Uint8Array {
    const header = this.#header ?? frameHeader(this.framing, this.schema.fingerprint, undefined)
    const at = header.length
    let end: number
    try {
      end = this.schema.type.encode(value, this.#scratch, at)
      // A negative end is what did not fit; the scratch then grows to fit the next value of that size too.
      if (end < 0) {
        this.#scratch = Buffer.allocUnsafe((this.#scratch.length - end) * 2)
        end = this.schema.type.encode(value, this.#scratch, at)
      }
    } catch (cause) {
      throw this.#unfit(value, cause)
    }
    this.#scratch.set(header)
    return Buffer.from(this.#scratch.subarray(0, end))
  }

  /** What the bytes are. Reasons depend on the bytes and the known writers alone, so a replay writes the same dead letters. */
  decode(bytes: Uint8Array): Decoded {
    for (const writer of this.#writers) {
      if (startsWith(bytes, writer.header)) return read(writer, bytes)
    }
    const unreadable = this.#unreadable.get(registryId(bytes) ?? -1)
    return { kind: 'malformed', reason: unreadable ?? foreignHeader(this.framing, bytes) }
  }

  /** Finds fields of what this schema wrote without decoding the others; undefined when these fields can not be found so. */
  finder(fields: readonly WantedField[]): FieldFinder | undefined {
    // Without a header of its own nothing is written with this very schema.
    if (this.#header === undefined) return undefined
    return FieldFinder.of(this.schema, this.#header, fields)
  }

  #unfit(value: AvroRecord, cause: unknown): MillraceError {
    const paths: string[] = []
    this.schema.type.isValid(value, { errorHook: (path) => void paths.push(path.join('.')) })
    const at = paths.length === 0 ? messageOf(cause) : `at ${paths.join(', ')}`
    return new MillraceError('BAD_INPUT', `the value does not fit ${this.schema.name}: ${at}`, {
      remedy: `Compare it with ${this.schema.origin}.`,
      cause,
    })
  }
}

function read({ header, type, resolver }: KnownWriter, bytes: Uint8Array): Decoded {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    const { value, offset } = type.decode(buffer, header.length, resolver)
    if (offset === buffer.length) return { kind: 'value', value }
    const reason =
      offset < 0
        ? `truncated: the value goes on after its ${buffer.length} bytes`
        : `${buffer.length - offset} trailing bytes after the value`
    return { kind: 'malformed', reason }
  } catch (thrown) {
    return { kind: 'malformed', reason: messageOf(thrown) }
  }
}

/** How values of `writer` are read as `reader`; undefined when both are the same on the wire. */
function resolve(reader: AvroSchema, writer: AvroSchema): Resolver | undefined {
  if (reader.canonical === writer.canonical) return undefined
  try {
    return reader.type.createResolver(writer.type, { ignoreNamespaces: true })
  } catch (cause) {
    throw new MillraceError(
      'BAD_SCHEMA',
      `${reader.origin} cannot read what ${writer.origin} writes: ${messageOf(cause)}`,
      { remedy: 'Give every field that the writer lacks a default; change no type.', cause },
    )
  }
}
