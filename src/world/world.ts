/** @file The simulated app: a seeded, endless or bounded source of deliveries whose true probabilities are known. */

import type { Delivery } from '../delivery.ts'
import type { Random } from '../random.ts'
import { drawActions } from './actions.ts'
import { DeliveryQueue } from './delivery-queue.ts'
import { PURPOSE, randomOf } from './draws.ts'
import { Spam, type SpamShowing } from './spam.ts'
import { WORLD_TASKS } from './tasks.ts'
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
  readonly #spam: Spam
  readonly #queue = new DeliveryQueue()
  readonly #impressionLimit: number
  #nextVisit = 0
  #impressions = 0

  constructor(options: WorldOptions) {
    this.#options = options
    this.#visits = new Visits(options)
    this.#truth = new Truth(options)
    this.#spam = new Spam(options)
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
    const visit = this.#nextVisit
    const random = this.#visits.randomOf(visit)
    const aheadMs = this.#skewOf(visit)
    for (const showing of this.#visits.showings(visit, random)) {
      if (this.#impressions >= this.#impressionLimit) break
      this.#impressions++
      this.#makeImpression(showing, random, aheadMs)
    }
    const { spacingMs } = this.#visits
    for (const showing of this.#spam.showings(visit, this.#visits.earliestMs(visit), spacingMs)) {
      this.#makeSpam(showing)
    }
    this.#nextVisit++
    return true
  }

  /** How far the clock is ahead that dates the visit's events, ms. */
  #skewOf(visit: number): number {
    const { seed, skew } = this.#options
    if (skew.share === 0) return 0
    return randomOf(seed, PURPOSE.skew, visit).uniform() < skew.share ? skew.ms : 0
  }

  /** An impression of the bot and every action on it, brought without delay or damage. */
  #makeSpam(showing: SpamShowing): void {
    const { id, user, item, timeMs } = showing
    const key = utf8.encode(id)
    const on = { key, impressionId: id, userId: user.id, itemId: item.id }
    const events = [
      impressionOf(showing, key),
      ...WORLD_TASKS.map((task, t) => actionOf(task, on, timeMs + (showing.delaysMs[t] ?? 1))),
    ]
    for (const { kind, key: eventKey, value, timeMs: timestampMs } of events) {
      this.#queue.push({ kind, key: eventKey, value, timestampMs, damage: undefined })
    }
  }

  #makeImpression(showing: Showing, random: Random, aheadMs: number): void {
    const { id, user, item, timeMs } = showing
    const key = utf8.encode(id)
    this.#deliver(impressionOf(showing, key), random, aheadMs)
    const on = { key, impressionId: id, userId: user.id, itemId: item.id }
    const p = this.#truth.probabilitiesOf(showing)
    for (const { task, delayMs } of drawActions(p, this.#options, random)) {
      this.#deliver(actionOf(task, on, timeMs + delayMs), random, aheadMs)
    }
    if (random.uniform() < this.#options.disturbances.orphan) {
      // By a user nobody saw, on an impression that never was: an orphan whichever key joins it.
      const impressionId = `ghost-${id}`
      const ghost = { ...on, key: utf8.encode(impressionId), impressionId, userId: 'ghost' }
      this.#deliver(actionOf('click', ghost, timeMs + 1 + random.integer(60_000)), random, aheadMs)
    }
  }

  #deliver(event: WorldEvent, random: Random, aheadMs: number): void {
    for (const delivery of deliveriesOf(event, this.#options, random)) {
      this.#queue.push(dated(delivery, aheadMs))
    }
  }
}

/** The delivery as a clock dates it that is `aheadMs` ahead: at the same moment, with another event time. */
function dated(delivery: Delivery, aheadMs: number): Delivery {
  const { event_time: time } = delivery.value
  if (aheadMs === 0 || typeof time !== 'number') return delivery
  return { ...delivery, value: { ...delivery.value, event_time: time + aheadMs } }
}
