/**
 * @file Follows a model topic: puts chunks together, checks hashes, order and parentage, and keeps the last good version. A
 * gap, a fork, a damaged or foreign update is noticed, counted with its reason, and healed from the next full one (law 4).
 */

import { MillraceError, messageOf } from '../errors.ts'
import { ChunkAssembly, joining, type UpdateChunk } from '../publish/chunk.ts'
import type { ModelControl } from '../publish/control.ts'
import { type TrustedKeys, updateMessage } from '../publish/signature.ts'
import { decodeUpdate, type UpdateContent } from '../publish/update.ts'
import { atOnce, inTurns, type Slices } from '../slices.ts'
import type { Engine } from '../tensors/engine.ts'
import { ServedModel } from './served-model.ts'

/** Why an update was not taken. */
export type RefusalReason =
  | 'corrupt'
  | 'foreign'
  | 'zombie'
  | 'gap'
  | 'fork'
  | 'incomplete'
  | 'unsigned'
  | 'signature'
  | 'replayed'
  | 'withdrawn'

/** What one chunk led to. */
export type Followed =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'applied'; readonly sequence: number }
  | { readonly kind: 'repeated'; readonly sequence: number }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly detail: string }

/** What a follower may be told. */
export interface FollowerOptions {
  /** The only model to follow; undefined: the first one seen. */
  readonly modelId?: string | undefined
  /** Whose signatures are asked for; undefined: signatures are not looked at. */
  readonly trusted?: TrustedKeys | undefined
  /** What operators decided; undefined: nothing. */
  readonly control?: ModelControl | undefined
  /** Larger updates are refused as incomplete; `MOST_UPDATE_BYTES` unless given. */
  readonly maxUpdateBytes?: number | undefined
}

/** The state of one consumer of one model topic. */
export class Follower {
  readonly #engine: Engine
  readonly #modelId: string | undefined
  readonly #trusted: TrustedKeys | undefined
  readonly #control: ModelControl | undefined
  readonly #assembly: ChunkAssembly
  readonly #refusals = new Map<RefusalReason, number>()
  #model: ServedModel | undefined
  #sha256 = ''
  #epoch = 0
  /** Highest sequence taken in this trainer epoch. */
  #newest = 0
  /** The envelope that was verified last: all chunks of an update have the same. */
  #verified = ''

  constructor(engine: Engine, { modelId, trusted, control, maxUpdateBytes }: FollowerOptions = {}) {
    this.#engine = engine
    this.#modelId = modelId
    this.#trusted = trusted
    this.#control = control
    this.#assembly = new ChunkAssembly(maxUpdateBytes)
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
    return atOnce(this.#following(chunk))
  }

  /** The same beside other work: the event loop has its turn while a version is loaded. One call at a time. */
  followInTurns(chunk: UpdateChunk): Promise<Followed> {
    return inTurns(this.#following(chunk))
  }

  *#following(chunk: UpdateChunk): Slices<Followed> {
    const wanted = this.#modelId ?? this.#model?.header.model_id
    if (wanted !== undefined && chunk.model_id !== wanted) {
      return this.#refuse('foreign', `model ${chunk.model_id}, following ${wanted}`)
    }
    // Before anything is remembered of it: nobody without the key may move the epoch or break what is half put together.
    const distrust = this.#distrust(chunk)
    if (distrust !== undefined) return this.#refuse(...distrust)
    if (chunk.trainer_epoch < this.#epoch) {
      return this.#refuse('zombie', `trainer epoch ${chunk.trainer_epoch} after ${this.#epoch}`)
    }
    if (chunk.trainer_epoch > this.#epoch) this.#newest = 0
    this.#epoch = chunk.trainer_epoch
    const assembled = this.#assembly.add(chunk)
    if (assembled.kind === 'incomplete') return { kind: 'waiting' }
    if (assembled.kind === 'broken') return this.#refuse('incomplete', assembled.reason)
    return yield* this.#take(assembled.chunk, assembled)
  }

  #distrust(chunk: UpdateChunk): [RefusalReason, string] | undefined {
    if (this.#trusted === undefined) return undefined
    if (chunk.signature.length === 0)
      return ['unsigned', `version ${chunk.sequence} has no signature`]
    const { model_id, trainer_epoch, sequence, sha256, signature } = chunk
    const known = [
      model_id,
      trainer_epoch,
      sequence,
      sha256,
      Buffer.from(signature).toString('hex'),
    ].join('\n')
    if (known === this.#verified) return undefined
    if (!this.#trusted.verify(updateMessage(chunk), signature)) {
      return ['signature', `version ${sequence} is not signed by a trusted key`]
    }
    this.#verified = known
    return undefined
  }

  *#take(
    chunk: UpdateChunk,
    { bodies, sha256 }: { bodies: readonly Uint8Array[]; sha256: string },
  ): Slices<Followed> {
    if (sha256 !== chunk.sha256) {
      return this.#refuse(
        'corrupt',
        `sequence ${chunk.sequence} hashes to ${sha256}, not ${chunk.sha256}`,
      )
    }
    if (sha256 === this.#sha256) return { kind: 'repeated', sequence: chunk.sequence }
    if (this.#control?.withdrawn.includes(sha256)) {
      return this.#refuse('withdrawn', `version ${chunk.sequence} was withdrawn`)
    }
    if (this.#isBeyondPin(chunk)) return { kind: 'waiting' }
    let update: UpdateContent
    try {
      update = decodeUpdate(yield* joining(bodies))
    } catch (thrown) {
      return this.#refuse(reasonOf(thrown), messageOf(thrown))
    }
    const { header } = update
    if (header.model_id !== chunk.model_id || header.sequence !== chunk.sequence) {
      const { model_id, sequence } = header
      return this.#refuse(
        'foreign',
        `content of ${model_id} ${sequence} as ${chunk.model_id} ${chunk.sequence}`,
      )
    }
    return yield* header.kind === 'full'
      ? this.#takeFull(update, sha256)
      : this.#takeDelta(update, sha256)
  }

  /** A pinned follower goes up to its pin and no further. */
  #isBeyondPin({ sequence }: UpdateChunk): boolean {
    const { pinned_sequence = 0, pinned_sha256 } = this.#control ?? {}
    return pinned_sequence > 0 && (this.#sha256 === pinned_sha256 || sequence > pinned_sequence)
  }

  /** The last good version stays when the new one cannot be loaded. */
  *#takeFull(update: UpdateContent, sha256: string): Slices<Followed> {
    const { sequence } = update.header
    if (sequence <= this.#newest) {
      return this.#refuse('replayed', `full version ${sequence} after version ${this.#newest}`)
    }
    const before = this.#model
    try {
      this.#model = yield* ServedModel.loading(this.#engine, update)
      before?.release()
    } catch (thrown) {
      return this.#refuse(reasonOf(thrown), messageOf(thrown))
    }
    this.#sha256 = sha256
    this.#newest = sequence
    return { kind: 'applied', sequence }
  }

  *#takeDelta(update: UpdateContent, sha256: string): Slices<Followed> {
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
      yield* this.#model.applying(update)
    } catch (thrown) {
      return this.#refuse(reasonOf(thrown), messageOf(thrown))
    }
    this.#sha256 = sha256
    this.#newest = sequence
    yield* this.#model.settling()
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
