/** @file The codec of the model topic, with the schema that ships with the package. */

import { ChunkCodec } from '../src/publish/chunk-codec.ts'
import { loadSchema } from '../src/wire/avro-schema.ts'
import { packageFile } from './package-files.ts'

/** The codec of update chunks; a program that only follows needs no other schema. */
export function openChunkCodec(): ChunkCodec {
  return new ChunkCodec(loadSchema(packageFile('schemas/model-update.avsc')))
}
