/**
 * @file Leaves out most negatives: each is kept at its task's rate, by a seeded hash of the sample's id. What that does to the
 * odds is undone in the loss (train/corrected-loss.ts). Sits between the join and the mini-batcher.
 */

import { hashShare } from '../events/id-hash.ts'
import { isOpened } from '../join/opened.ts'
import { changed, type Sample } from './sample.ts'

/** What decides which rows stay. */
export interface NegativeSamplingOptions {
  /** Per task in (0, 1]. */
  readonly keepRates: readonly number[]
  readonly seed: number
  /** The share of impressions whose opening was scored: their rows are kept to judge by, though not to learn from. */
  readonly openedShare: number
}

/** Keeps this job's draws apart from others by the same ids. */
const KEEP_SALT = 0x4b454550

/**
 * Without state: a row has one draw u, and a negative of a task teaches if u is below the task's rate, whatever the other tasks
 * say. So the rate is exact for each task by itself, and a row is left out only if it teaches none. Positives always teach.
 */
export class NegativeSampling {
  readonly #options: NegativeSamplingOptions
  readonly #all: boolean

  constructor(options: NegativeSamplingOptions) {
    this.#options = options
    this.#all = options.keepRates.every((rate) => rate === 1)
  }

  /** The rows that are still worth a look; those that teach nothing any more only judge or are only scored. */
  thin(samples: readonly Sample[]): readonly Sample[] {
    if (this.#all) return samples
    return samples.flatMap((sample) => this.#thinned(sample) ?? [])
  }

  #thinned(sample: Sample): Sample | undefined {
    const { id, role } = sample
    if (role === 'opened' || role === 'matured' || role === 'erasure') return sample
    const u = hashShare(id, KEEP_SALT ^ this.#options.seed)
    const kept = Uint8Array.from(this.#options.keepRates, (rate) => (u < rate ? 1 : 0))
    if (role === 'late-positive') {
      // Where its negative was left out there is nothing to take back.
      return changed(sample, { late: sample.late.map((one, task) => one & kept[task]!) })
    }
    const learned = sample.learned.map((one, task) =>
      sample.labels[task]! > 0 ? one : one & kept[task]!,
    )
    if (learned.includes(1)) return changed(sample, { learned })
    if (!isOpened(id, this.#options.openedShare)) return undefined
    return changed(sample, { role: role === 'provisional' ? 'opened' : 'matured', learned })
  }
}
