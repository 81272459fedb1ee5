/** @file Rows in, probabilities out, with the newest version that a follower has: encodes as the trainer does. */

import { FeatureEncoder } from '../features/encode.ts'
import type { FeatureSpec } from '../features/feature-spec.ts'
import type { FeatureRow } from '../features/slot-encoders.ts'
import type { ModelInUse } from './current-follower.ts'
import type { ServedModel } from './served-model.ts'

/** The scores of some rows and the version that gave them. */
export interface Scored {
  readonly version: number
  /** Of the version's content, hex. */
  readonly sha256: string
  readonly tasks: readonly string[]
  /** Task-major: entry t * rows + i is task t of row i. */
  readonly probabilities: Float32Array
}

/** Scores between two updates; a swap needs no call, as the follower's model is looked up for every batch. */
export class Scorer {
  readonly #follower: ModelInUse
  #encoder: FeatureEncoder | undefined
  #sha256 = ''

  constructor(follower: ModelInUse) {
    this.#follower = follower
  }

  /** What the version in use reads; undefined while there is none. */
  get spec(): FeatureSpec | undefined {
    return this.#follower.model?.spec
  }

  /** Of the version in use; none while there is no version. */
  get tasks(): readonly string[] {
    return this.#follower.model?.header.tasks ?? []
  }

  /** The trainer's scores at that version (`ServedModel.score`); undefined while there is no version. */
  score(rows: readonly FeatureRow[]): Scored | undefined {
    const { model, sha256 } = this.#follower
    if (model === undefined) return undefined
    const { sequence: version, tasks } = model.header
    const encoder = this.#encoderOf(model, sha256)
    const probabilities =
      rows.length === 0 ? new Float32Array(0) : model.score(encoder.encode(rows))
    return { version, sha256, tasks, probabilities }
  }

  #encoderOf({ spec, state, standardisation }: ServedModel, sha256: string): FeatureEncoder {
    const known = this.#encoder
    if (known !== undefined && this.#sha256 === sha256) return known
    const encoder = known?.spec === spec ? known : new FeatureEncoder(spec, state)
    encoder.setStatistics(standardisation)
    this.#encoder = encoder
    this.#sha256 = sha256
    return encoder
  }
}
