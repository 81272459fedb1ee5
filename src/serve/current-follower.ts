/** @file The follower that scores at the moment; another one takes its place at once when it is ready. */

import type { Follower } from './follower.ts'
import type { ServedModel } from './served-model.ts'

/** What a scorer asks for the model in use. */
export interface ModelInUse {
  readonly model: ServedModel | undefined
  /** Of the version's content, hex. */
  readonly sha256: string
}

/** One follower at a time. */
export class CurrentFollower implements ModelInUse {
  #follower: Follower

  constructor(follower: Follower) {
    this.#follower = follower
  }

  get follower(): Follower {
    return this.#follower
  }

  get model(): ServedModel | undefined {
    return this.#follower.model
  }

  get sha256(): string {
    return this.#follower.sha256
  }

  /** The next request is scored by this one. */
  use(follower: Follower): void {
    this.#follower = follower
  }
}
