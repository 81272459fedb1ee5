/** @file Update chunks to framed Avro and back: the records of the model topic, always in single-object encoding. */

import { AvroCodec, type AvroRecord } from '../wire/avro-codec.ts'
import type { AvroSchema } from '../wire/avro-schema.ts'
import type { UpdateChunk } from './chunk.ts'

/** What a record of the model topic turned out to be. */
export type DecodedChunk =
  | { readonly kind: 'chunk'; readonly chunk: UpdateChunk }
  | { readonly kind: 'malformed'; readonly reason: string }

/** Encodes and decodes by the schema of schemas/model-update.avsc. */
export class ChunkCodec {
  readonly #codec: AvroCodec

  constructor(schema: AvroSchema) {
    this.#codec = new AvroCodec({ schema })
  }

  /** The record's value. */
  encode(chunk: UpdateChunk): Uint8Array {
    return this.#codec.encode({ ...chunk })
  }

  /** The chunk, or why the bytes are none. */
  decode(bytes: Uint8Array): DecodedChunk {
    const decoded = this.#codec.decode(bytes)
    if (decoded.kind === 'malformed') return decoded
    return { kind: 'chunk', chunk: chunkFrom(decoded.value) }
  }
}

/** The schema has checked the types; this only says so to the compiler. */
function chunkFrom(value: AvroRecord): UpdateChunk {
  return value as unknown as UpdateChunk
}
