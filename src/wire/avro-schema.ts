/** @file A parsed Avro record schema with its identity on the wire; where `.avsc` files enter the program. */

import { readFileSync } from 'node:fs'
import type { Type } from 'avsc'
import avsc from 'avsc'
import { MillraceError, messageOf } from '../errors.ts'

import { crc64Avro } from './crc64-avro.ts'
import { safeType } from './type-hook.ts'

/** One field of a record schema, as far as a job has to know it. */
export interface SchemaField {
  readonly name: string
  /** Avro's name of the type: `long`, `string`, `array`, `union`, ... */
  readonly type: string
}

/** A record schema, ready to encode and to be resolved against other versions of itself. */
export interface AvroSchema {
  /** Full name, `millrace.impression`. */
  readonly name: string
  /** Where it came from (a file name), for errors. */
  readonly origin: string
  /** Parsing Canonical Form: what two schemas must share to be the same on the wire. */
  readonly canonical: string
  /** CRC-64-AVRO of the canonical form, 8 bytes, little-endian. */
  readonly fingerprint: Uint8Array
  readonly fields: readonly SchemaField[]
  /** The compiled type; only `src/wire` calls it. */
  readonly type: Type
}

/**
 * Compiles a schema that was read from JSON. `origin` is the file it came from.
 * Throws BAD_SCHEMA with the file and the reason when it is not a valid Avro record.
 */
export function parseSchema(json: unknown, origin: string): AvroSchema {
  const type = compile(json, origin)
  if (!(type instanceof avsc.types.RecordType)) {
    throw badSchema(origin, `the type is ${type.typeName}`, 'Make the outermost type a record.')
  }
  const canonical = JSON.stringify(type.schema())
  return {
    name: type.name ?? '',
    origin,
    canonical,
    fingerprint: crc64Avro(new TextEncoder().encode(canonical)),
    fields: type.fields.map((field) => ({
      name: field.name,
      type: field.type.typeName.split(':')[0] ?? field.type.typeName,
    })),
    type,
  }
}

/** Reads an Avro schema of a record from a file. Throws BAD_SCHEMA when it cannot be read or is not a schema. */
export function loadSchema(path: string): AvroSchema {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new MillraceError('BAD_SCHEMA', `cannot read the schema ${path}: ${messageOf(cause)}`, {
      remedy: 'Give the path of an Avro schema file (.avsc).',
      cause,
    })
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw badSchema(path, messageOf(cause), 'Make the file one JSON object.', cause)
  }
  return parseSchema(json, path)
}

function compile(json: unknown, origin: string): Type {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw badSchema(origin, 'it is not a JSON object', 'Make the outermost type a record.')
  }
  try {
    // avsc narrows this itself and throws; its type of a schema is narrower than what it accepts.
    return avsc.Type.forSchema(json as Parameters<typeof avsc.Type.forSchema>[0], {
      typeHook: safeType,
      omitRecordMethods: true,
    })
  } catch (cause) {
    throw badSchema(origin, messageOf(cause), 'See schemas/README.md for a working example.', cause)
  }
}

function badSchema(origin: string, reason: string, remedy: string, cause?: unknown): MillraceError {
  return new MillraceError('BAD_SCHEMA', `${origin} is no Avro record schema: ${reason}`, {
    remedy,
    cause,
  })
}
