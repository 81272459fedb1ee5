/** @file The codec of the model topic, with the schemas that ship with the package. */

import { ChunkCodec } from '../src/publish/chunk-codec.ts'
import { type AvroSchema, loadSchema } from '../src/wire/avro-schema.ts'
import { packageFile } from './package-files.ts'

/** The codec of update chunks; a program that only follows needs no other schema. */
export function openChunkCodec(): ChunkCodec {
  return new ChunkCodec(shipped('model-update'), shipped('model-update-deflated'))
}

/** A schema that ships with the package. */
export function shipped(name: string): AvroSchema {
  return loadSchema(packageFile(`schemas/${name}.avsc`))
}
