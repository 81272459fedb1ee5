/**
 * @file Follows a model topic: puts chunks together, checks hashes, order and parentage, and keeps the last good version. A
 * gap, a fork, a damaged or foreign update is noticed, counted with its reason, and healed from the next full one (law 4).
 */

import { MillraceError, messageOf } from '../errors.ts'
import { ChunkAssembly, type UpdateChunk } from '../publish/chunk.ts'
import { contentHash, decodeUpdate, type UpdateContent } from '../publish/update.ts'
import type { Engine } from '../tensors/engine.ts'
import { ServedModel } from './served-model.ts'

/** Why an update was not taken. */
export type RefusalReason = 'corrupt' | 'foreign' | 'zombie' | 'gap' | 'fork' | 'incomplete'

/** What one chunk led to. */
export type Followed =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'applied'; readonly sequence: number }
  | { readonly kind: 'repeated'; readonly sequence: number }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly detail: string }

/** The state of one consumer of one model topic. */
export class Follower {
  readonly #engine: Engine
  readonly #modelId: string | undefined
  readonly #assembly = new ChunkAssembly()
  readonly #refusals = new Map<RefusalReason, number>()
  #model: ServedModel | undefined
  #sha256 = ''
  #epoch = 0

  /** `modelId`: the only model to follow; undefined: the first one seen. */
  constructor(engine: Engine, modelId?: string) {
    this.#engine = engine
    this.#modelId = modelId
  }

  /** The last good version; undefined until a full update was taken. */
  get model(): ServedModel | undefined {
    return this.#model
  }

  /** sha256 of the last good version. */
  get sha256(): string {
    return this.#sha256
  }

  /** How often what was refused. */
  get refusals(): ReadonlyMap<RefusalReason, number> {
    return this.#refusals
  }

  /** Takes the next chunk of the topic, in order. Never throws on what a topic may hold. */
  follow(chunk: UpdateChunk): Followed {
    const wanted = this.#modelId ?? this.#model?.header.model_id
    if (wanted !== undefined && chunk.model_id !== wanted) {
      return this.#refuse('foreign', `model ${chunk.model_id}, following ${wanted}`)
    }
    if (chunk.trainer_epoch < this.#epoch) {
      return this.#refuse('zombie', `trainer epoch ${chunk.trainer_epoch} after ${this.#epoch}`)
    }
    this.#epoch = chunk.trainer_epoch
    const assembled = this.#assembly.add(chunk)
    if (assembled.kind === 'incomplete') return { kind: 'waiting' }
    if (assembled.kind === 'broken') return this.#refuse('incomplete', assembled.reason)
    return this.#take(assembled.chunk, assembled.content)
  }

  #take(chunk: UpdateChunk, content: Uint8Array): Followed {
    const sha256 = contentHash(content)
    if (sha256 !== chunk.sha256) {
      return this.#refuse(
        'corrupt',
        `sequence ${chunk.sequence} hashes to ${sha256}, not ${chunk.sha256}`,
      )
    }
    if (sha256 === this.#sha256) return { kind: 'repeated', sequence: chunk.sequence }
    let update: UpdateContent
    try {
      update = decodeUpdate(content)
    } catch (thrown) {
      return this.#refuse(reasonOf(thrown), messageOf(thrown))
    }
    const { header } = update
    if (header.model_id !== chunk.model_id) {
      return this.#refuse('foreign', `content of ${header.model_id} as ${chunk.model_id}`)
    }
    return header.kind === 'full' ? this.#takeFull(update, sha256) : this.#takeDelta(update, sha256)
  }

  /** The last good version stays when the new one cannot be loaded. */
  #takeFull(update: UpdateContent, sha256: string): Followed {
    try {
      this.#model = new ServedModel(this.#engine, update)
    } catch (thrown) {
      return this.#refuse(reasonOf(thrown), messageOf(thrown))
    }
    this.#sha256 = sha256
    return { kind: 'applied', sequence: update.header.sequence }
  }

  #takeDelta(update: UpdateContent, sha256: string): Followed {
    const { sequence, parent_sha256 } = update.header
    if (this.#model === undefined) {
      return this.#refuse('gap', `delta ${sequence} before any full update`)
    }
    if (parent_sha256 !== this.#sha256) {
      const at = this.#model.header.sequence
      const reason = sequence > at + 1 ? 'gap' : 'fork'
      return this.#refuse(reason, `version ${sequence} does not follow version ${at}`)
    }
    try {
      this.#model.apply(update)
    } catch (thrown) {
      // A delta is applied in place: after a failure the weights are neither version, so wait for a full update.
      this.#model = undefined
      this.#sha256 = ''
      return this.#refuse(reasonOf(thrown), messageOf(thrown))
    }
    this.#sha256 = sha256
    return { kind: 'applied', sequence }
  }

  #refuse(reason: RefusalReason, detail: string): Followed {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1)
    return { kind: 'refused', reason, detail }
  }
}

function reasonOf(thrown: unknown): RefusalReason {
  return thrown instanceof MillraceError && thrown.code === 'FOREIGN' ? 'foreign' : 'corrupt'
}
