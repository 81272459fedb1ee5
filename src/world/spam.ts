/** @file A burst of spam: for some minutes one bot looks at one item after each visit and takes every action on it. */

import { Catalogue } from './catalogue.ts'
import { PURPOSE, randomOf } from './draws.ts'
import { WORLD_TASKS } from './tasks.ts'
import type { Showing } from './visits.ts'
import type { WorldOptions } from './world-options.ts'

/** The bot says that it is somebody ordinary: only its id gives it away. */
const BOT = { id: 'bot', ageBand: 2, country: 2, device: 0 }
/** Longest time between looking and acting, ms. */
const ACTS_WITHIN_MS = 2_000

/** An impression of the bot; its id is none that `Truth` knows. */
export interface SpamShowing extends Omit<Showing, 'userIndex'> {
  /** One per task, in their order, ms after the impression. */
  readonly delaysMs: readonly number[]
}

/** A function of seed and visit, with draws of its own: the rest of the world is the same with and without the bot. */
export class Spam {
  readonly #options: WorldOptions
  readonly #catalogue: Catalogue

  constructor(options: WorldOptions) {
    this.#options = options
    this.#catalogue = new Catalogue(options)
  }

  /** What the bot does in the time of a visit that begins at `earliestMs` and lasts `spacingMs`. */
  showings(visit: number, earliestMs: number, spacingMs: number): SpamShowing[] {
    const { seed, start_ms: startMs, spam } = this.#options
    const from = startMs + spam.at_hours * 3_600_000
    if (earliestMs < from || earliestMs >= from + spam.minutes * 60_000) return []
    const random = randomOf(seed, PURPOSE.spam, visit)
    return Array.from({ length: spam.per_visit }, (_, n) => {
      const timeMs = Math.floor(earliestMs + random.uniform() * spacingMs)
      const item = this.#catalogue.itemAt(0, timeMs)
      const itemAgeHours = Math.round((timeMs - item.bornMs) / 3600) / 1000
      const delaysMs = WORLD_TASKS.map(() => 1 + random.integer(ACTS_WITHIN_MS))
      const id = `bot-${visit}-${n}`
      return { id, user: BOT, item, position: 0, device: 0, timeMs, itemAgeHours, delaysMs }
    })
  }
}
