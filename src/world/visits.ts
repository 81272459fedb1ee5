/** @file Visits to the feed: who sees which items, where and when; a function of the seed and the visit's number. */

import type { Random } from '../random.ts'
import { Catalogue, type Item } from './catalogue.ts'
import { PURPOSE, randomOf } from './draws.ts'
import { DEVICES, drawUsers, type User } from './population.ts'
import type { WorldOptions } from './world-options.ts'

/** One item before one user's eyes. */
export interface Showing {
  /** `<visit>-<position>`, the impression's id. */
  readonly id: string
  readonly user: User
  /** Index of the user, for tables of effects. */
  readonly userIndex: number
  readonly item: Item
  readonly position: number
  /** Index into `DEVICES`. */
  readonly device: number
  /** Unix ms, whole. */
  readonly timeMs: number
  /** How long the item had been on show, hours, as the event says it (three decimals). */
  readonly itemAgeHours: number
}

/** Mean time that a user stays with one item before the next. */
const STAY_MS = 6_000

/** All visits of a world, by number. */
export class Visits {
  readonly #options: WorldOptions
  readonly #users: readonly User[]
  readonly #catalogue: Catalogue
  readonly #spacingMs: number

  constructor(options: WorldOptions) {
    this.#options = options
    this.#users = drawUsers(options.seed, options.users)
    this.#catalogue = new Catalogue(options)
    this.#spacingMs = (1000 * options.slate) / options.impressions_per_second
  }

  /** The time before which nothing of this or any later visit happens, Unix ms. */
  earliestMs(visit: number): number {
    return this.#options.start_ms + visit * this.#spacingMs
  }

  /** Time between two visits, ms. */
  get spacingMs(): number {
    return this.#spacingMs
  }

  /** The random stream of a visit: `showings` takes the first part of it, outcomes take what follows. */
  randomOf(visit: number): Random {
    return randomOf(this.#options.seed, PURPOSE.visit, visit)
  }

  /** The showings of a visit in order of position, drawn from a fresh `randomOf(visit)`. */
  showings(visit: number, random: Random): Showing[] {
    // Some users come far more often than others: a power law with a mild slope.
    const userIndex = Math.floor(this.#users.length * random.uniform() ** 1.4)
    const user = this.#users[userIndex]
    if (user === undefined) return []
    const device = random.uniform() < 0.1 ? random.integer(DEVICES.length) : user.device
    let timeMs = this.earliestMs(visit) + random.uniform() * this.#spacingMs
    const slots: number[] = []
    return Array.from({ length: this.#options.slate }, (_, position) => {
      const slot = this.#unseenSlot(slots, random)
      slots.push(slot)
      timeMs += position === 0 ? 0 : STAY_MS * (0.2 + 1.6 * random.uniform())
      const atMs = Math.floor(timeMs)
      const item = this.#catalogue.itemAt(slot, atMs)
      const itemAgeHours = Math.round((atMs - item.bornMs) / 3600) / 1000
      const id = `${visit}-${position}`
      return { id, user, userIndex, item, position, device, timeMs: atMs, itemAgeHours }
    })
  }

  /** A slot that this visit has not shown yet; low slots are the popular ones. */
  #unseenSlot(seen: readonly number[], random: Random): number {
    let slot = Math.floor(this.#options.items * random.uniform() ** 1.5)
    while (seen.includes(slot)) slot = (slot + 1) % this.#options.items
    return slot
  }
}
