/**
 * @file Update chunks to framed Avro and back: the records of the model topic, always in single-object encoding. A chunk whose body is
 * compressed is a value of another schema, so that who does not know it refuses it, and plain ones stay as they were.
 */

import { deflateSync, inflateSync } from 'node:zlib'
import { messageOf } from '../errors.ts'
import { AvroCodec, type AvroRecord } from '../wire/avro-codec.ts'
import type { AvroSchema } from '../wire/avro-schema.ts'
import type { ChunkCompression, UpdateChunk } from './chunk.ts'

/** What a record of the model topic turned out to be. */
export type DecodedChunk =
  | { readonly kind: 'chunk'; readonly chunk: UpdateChunk }
  | { readonly kind: 'malformed'; readonly reason: string }

/** Largest body of a compressed chunk: what one record may make of its bytes. */
const MOST_BODY_BYTES = 2 ** 20

/** Encodes and decodes by the schemas of schemas/model-update.avsc and schemas/model-update-deflated.avsc. */
export class ChunkCodec {
  readonly #plain: AvroCodec
  readonly #deflated: AvroCodec | undefined

  /** Without the schema `deflated`, compressed chunks are malformed. */
  constructor(plain: AvroSchema, deflated?: AvroSchema) {
    this.#plain = new AvroCodec({ schema: plain })
    this.#deflated = deflated === undefined ? undefined : new AvroCodec({ schema: deflated })
  }

  /** The record's value; plain where compression would not make it smaller, or beyond the largest body of a compressed one. */
  encode(chunk: UpdateChunk, compression: ChunkCompression = 'none'): Uint8Array {
    const { body, ...envelope } = chunk
    if (compression === 'none' || this.#deflated === undefined || body.length > MOST_BODY_BYTES) {
      return this.#plain.encode({ ...chunk })
    }
    const deflated = deflateSync(body)
    return deflated.length < body.length
      ? this.#deflated.encode({ ...envelope, body_bytes: body.length, deflated })
      : this.#plain.encode({ ...chunk })
  }

  /** The chunk, or why the bytes are none. */
  decode(bytes: Uint8Array): DecodedChunk {
    const decoded = this.#plain.decode(bytes)
    if (decoded.kind === 'value') return { kind: 'chunk', chunk: chunkFrom(decoded.value) }
    const deflated = this.#deflated?.decode(bytes)
    return deflated?.kind === 'value'
      ? inflated(deflated.value as unknown as DeflatedChunk)
      : decoded
  }
}

/** One record with a compressed body, fields as in schemas/model-update-deflated.avsc. */
type DeflatedChunk = Omit<UpdateChunk, 'body'> & {
  readonly body_bytes: number
  readonly deflated: Uint8Array
}

/** The schema has checked the types; this only says so to the compiler. */
function chunkFrom(value: AvroRecord): UpdateChunk {
  return value as unknown as UpdateChunk
}

/** Takes no more memory than the record says, and no more than a record may say. */
function inflated({ body_bytes: size, deflated, ...envelope }: DeflatedChunk): DecodedChunk {
  if (size < 1 || size > MOST_BODY_BYTES) {
    return malformed(`a body of ${size} bytes, at most ${MOST_BODY_BYTES}`)
  }
  try {
    const body = inflateSync(deflated, { maxOutputLength: size })
    if (body.length === size) return { kind: 'chunk', chunk: { ...envelope, body } }
    return malformed(`a body of ${body.length} bytes, not the ${size} that it says`)
  } catch (thrown) {
    return malformed(messageOf(thrown))
  }
}

function malformed(why: string): DecodedChunk {
  return { kind: 'malformed', reason: `the compressed chunk has ${why}` }
}
