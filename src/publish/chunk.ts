/**
 * @file Updates on the model topic travel in chunks below the broker's record limit. Each chunk names its update, so that a
 * consumer sees a missing, foreign or damaged one, and says where the last full update starts, so that a late joiner finds it
 * without reading the whole topic.
 */

import { createHash } from 'node:crypto'
import type { Slices } from '../slices.ts'

/** How the bodies of chunks travel. Hashes and signatures are of what they hold, whatever it is. */
export const CHUNK_COMPRESSIONS = ['none', 'deflate'] as const

export type ChunkCompression = (typeof CHUNK_COMPRESSIONS)[number]

/** Bytes of an update that are put together unless more is allowed. */
export const MOST_UPDATE_BYTES = 2 ** 31

/** One record of the model topic, fields as in schemas/model-update.avsc. */
export interface UpdateChunk {
  readonly model_id: string
  /** Life of the trainer; a consumer that has seen a higher one ignores lower ones (a zombie's). Envelope. */
  readonly trainer_epoch: number
  readonly sequence: number
  readonly kind: 'full' | 'delta'
  readonly chunk: number
  readonly chunks: number
  /** Of the whole content, hex. */
  readonly sha256: string
  readonly parent_sha256: string
  /** Offset of chunk 0 of the newest full update, this one included. Envelope. */
  readonly full_offset: number
  /** Wall-clock Unix ms. Envelope. */
  readonly published_at_ms: number
  readonly body: Uint8Array
  /** ed25519 over the content's sha256; empty when the trainer has no key. */
  readonly signature: Uint8Array
}

/** What all chunks of an update share. */
export type ChunkEnvelope = Omit<UpdateChunk, 'chunk' | 'chunks' | 'body'>

/** Cuts content into chunks of at most `chunkBytes`; an update has at least one chunk. */
export function cutIntoChunks(
  envelope: ChunkEnvelope,
  content: Uint8Array,
  chunkBytes: number,
): UpdateChunk[] {
  const chunks = Math.max(1, Math.ceil(content.length / chunkBytes))
  return Array.from({ length: chunks }, (_, chunk) => ({
    ...envelope,
    chunk,
    chunks,
    body: content.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes),
  }))
}

/** What a chunk did to the update being put together. */
export type Assembled =
  | { readonly kind: 'incomplete' }
  | {
      readonly kind: 'complete'
      readonly chunk: UpdateChunk
      /** The content in pieces. */
      readonly bodies: readonly Uint8Array[]
      /** Of the content as it is. */
      readonly sha256: string
    }
  | { readonly kind: 'broken'; readonly reason: string }

/** Puts the chunks of one update back together; a chunk 0 starts anew, whatever was there (its trainer died half way). */
export class ChunkAssembly {
  #first: UpdateChunk | undefined
  #bodies: Uint8Array[] = []
  #bytes = 0
  /** As chunks come, so that no update is hashed in one go. */
  #hash = createHash('sha256')
  readonly #most: number

  /** `most`: bytes of an update; a larger one is broken, however well its chunks fit. */
  constructor(most: number = MOST_UPDATE_BYTES) {
    this.#most = most
  }

  add(chunk: UpdateChunk): Assembled {
    if (chunk.chunk === 0) {
      this.#first = chunk
      this.#bodies = []
      this.#bytes = 0
      this.#hash = createHash('sha256')
    }
    const first = this.#first
    if (first === undefined) {
      return { kind: 'broken', reason: `sequence ${chunk.sequence} starts at chunk ${chunk.chunk}` }
    }
    if (!sameUpdate(first, chunk) || chunk.chunk !== this.#bodies.length) {
      this.#first = undefined
      return {
        kind: 'broken',
        reason: `expected chunk ${this.#bodies.length} of sequence ${first.sequence}, got ${chunk.chunk} of ${chunk.sequence}`,
      }
    }
    this.#bytes += chunk.body.length
    if (this.#bytes > this.#most) {
      this.#first = undefined
      this.#bodies = []
      return {
        kind: 'broken',
        reason: `sequence ${first.sequence} has more than ${this.#most} bytes`,
      }
    }
    this.#bodies.push(chunk.body)
    this.#hash.update(chunk.body)
    if (this.#bodies.length < first.chunks) return { kind: 'incomplete' }
    this.#first = undefined
    const sha256 = this.#hash.digest('hex')
    return { kind: 'complete', chunk: first, bodies: this.#bodies, sha256 }
  }
}

/** The content of a complete update, in slices of one chunk. */
export function* joining(bodies: readonly Uint8Array[]): Slices<Uint8Array> {
  const content = new Uint8Array(bodies.reduce((sum, body) => sum + body.length, 0))
  let at = 0
  for (const body of bodies) {
    content.set(body, at)
    at += body.length
    yield
  }
  return content
}

function sameUpdate(first: UpdateChunk, next: UpdateChunk): boolean {
  return (
    first.sequence === next.sequence &&
    first.sha256 === next.sha256 &&
    first.trainer_epoch === next.trainer_epoch &&
    first.chunks === next.chunks
  )
}
