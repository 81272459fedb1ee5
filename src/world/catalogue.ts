/** @file What is on show: a fixed number of slots, each with one item after another, so that items arrive and retire. */

import { PURPOSE, randomOf } from './draws.ts'
import type { WorldOptions } from './world-options.ts'

/** Names of the categories; a table of the domain, its order is part of the world. */
export const CATEGORIES = [
  'animals',
  'art',
  'beauty',
  'books',
  'cars',
  'comedy',
  'cooking',
  'dance',
  'diy',
  'education',
  'family',
  'fashion',
  'fishing',
  'fitness',
  'football',
  'gaming',
  'gardens',
  'history',
  'magic',
  'music',
  'news',
  'science',
  'tech',
  'travel',
] as const

/** Size of the vocabulary of tags. */
export const TAG_COUNT = 48

/** One item with what the truth needs to know of it. */
export interface Item {
  readonly id: string
  /** Index into `CATEGORIES`. */
  readonly category: number
  /** Index of the author, 0 to `authors` - 1. */
  readonly author: number
  /** Indices of the tags, one to three, without repeats. */
  readonly tags: readonly number[]
  /** Standard normal: what makes it better than its author's other items. */
  readonly quality: number
  /** When it was put on show, Unix ms. */
  readonly bornMs: number
}

/** The item of every slot at any time, without a history: a function of seed, slot and time. */
export class Catalogue {
  readonly #options: WorldOptions
  readonly #lifetimeMs: Float64Array
  readonly #firstBornMs: Float64Array
  /** The newest item asked for per slot; a cache, never state. */
  readonly #shown: { generation: number; item: Item }[] = []

  constructor(options: WorldOptions) {
    this.#options = options
    this.#lifetimeMs = new Float64Array(options.items)
    this.#firstBornMs = new Float64Array(options.items)
    const random = randomOf(options.seed, PURPOSE.slots, 0)
    for (let slot = 0; slot < options.items; slot++) {
      const lifetimeMs = options.item_lifetime_hours * 3_600_000 * (0.5 + random.uniform())
      this.#lifetimeMs[slot] = lifetimeMs
      this.#firstBornMs[slot] = options.start_ms - random.uniform() * lifetimeMs
    }
  }

  /** The item that a slot shows at a time (Unix ms, not before the start). */
  itemAt(slot: number, timeMs: number): Item {
    const lifetimeMs = this.#lifetimeMs[slot] ?? 1
    const firstBornMs = this.#firstBornMs[slot] ?? 0
    const generation = Math.floor((timeMs - firstBornMs) / lifetimeMs)
    const shown = this.#shown[slot]
    if (shown?.generation === generation) return shown.item
    const item = this.#make(slot, generation, firstBornMs + generation * lifetimeMs)
    this.#shown[slot] = { generation, item }
    return item
  }

  #make(slot: number, generation: number, bornMs: number): Item {
    const { seed, items, authors } = this.#options
    const random = randomOf(seed, PURPOSE.item, generation * items + slot)
    const author = random.integer(authors)
    // Authors keep to a field: three in four of their items are in one of two categories.
    const home = (author * 7 + (random.uniform() < 0.5 ? 0 : 5)) % CATEGORIES.length
    const category = random.uniform() < 0.75 ? home : random.integer(CATEGORIES.length)
    const tags = new Set<number>()
    const wanted = 1 + random.integer(3)
    for (let i = 0; i < wanted; i++) tags.add((category * 2 + random.integer(6)) % TAG_COUNT)
    return {
      id: `v${slot}-${generation}`,
      category,
      author,
      tags: [...tags],
      quality: random.normal(),
      bornMs,
    }
  }
}
