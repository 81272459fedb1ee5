/** @file The simulated app: a seeded, endless or bounded source of deliveries whose true probabilities are known. */

import type { Delivery } from '../delivery.ts'
import type { Random } from '../random.ts'
import { drawActions } from './actions.ts'
import { DeliveryQueue } from './delivery-queue.ts'
import { deliveriesOf } from './transport.ts'
import { Truth } from './truth.ts'
import { type Showing, Visits } from './visits.ts'
import { actionOf, impressionOf, type WorldEvent } from './world-event.ts'
import type { WorldOptions } from './world-options.ts'

const utf8 = new TextEncoder()

/**
 * Deliveries in the order a producer appends them, a function of the options alone: the same options give the same
 * sequence however `pull` is called. What an impression's actions really were likely to be is told by `Truth`.
 */
export class World {
  readonly #options: WorldOptions
  readonly #visits: Visits
  readonly #truth: Truth
  readonly #queue = new DeliveryQueue()
  readonly #impressionLimit: number
  #nextVisit = 0
  #impressions = 0

  constructor(options: WorldOptions) {
    this.#options = options
    this.#visits = new Visits(options)
    this.#truth = new Truth(options)
    this.#impressionLimit = options.impressions ?? Number.POSITIVE_INFINITY
  }

  /** The next deliveries, at most `count`; an empty list (for a positive count) means that a bounded world has ended. */
  pull(count: number): Delivery[] {
    const deliveries: Delivery[] = []
    while (deliveries.length < count) {
      // A delivery is due once no later visit can make an earlier one.
      while (this.#queue.nextMs >= this.#visits.earliestMs(this.#nextVisit) && this.#makeVisit());
      const delivery = this.#queue.pop()
      if (delivery === undefined) break
      deliveries.push(delivery)
    }
    return deliveries
  }

  /** False when the world is bounded and all of its impressions are made. */
  #makeVisit(): boolean {
    if (this.#impressions >= this.#impressionLimit) return false
    const random = this.#visits.randomOf(this.#nextVisit)
    for (const showing of this.#visits.showings(this.#nextVisit, random)) {
      if (this.#impressions >= this.#impressionLimit) break
      this.#impressions++
      this.#makeImpression(showing, random)
    }
    this.#nextVisit++
    return true
  }

  #makeImpression(showing: Showing, random: Random): void {
    const { id, user, item, timeMs } = showing
    const key = utf8.encode(id)
    this.#deliver(impressionOf(showing, key), random)
    const on = { key, impressionId: id, userId: user.id, itemId: item.id }
    const p = this.#truth.probabilitiesOf(showing)
    for (const { task, delayMs } of drawActions(p, this.#options, random)) {
      this.#deliver(actionOf(task, on, timeMs + delayMs), random)
    }
    if (random.uniform() < this.#options.disturbances.orphan) {
      // By a user nobody saw, on an impression that never was: an orphan whichever key joins it.
      const impressionId = `ghost-${id}`
      const ghost = { ...on, key: utf8.encode(impressionId), impressionId, userId: 'ghost' }
      this.#deliver(actionOf('click', ghost, timeMs + 1 + random.integer(60_000)), random)
    }
  }

  #deliver(event: WorldEvent, random: Random): void {
    for (const delivery of deliveriesOf(event, this.#options, random)) this.#queue.push(delivery)
  }
}
