/** @file An event as the simulated app makes it: whole, once, at its own time. Transport does the rest. */

import type { EventTime } from '../time.ts'
import { CATEGORIES } from './catalogue.ts'
import { AGE_BANDS, COUNTRIES, DEVICES } from './population.ts'
import type { WorldTask } from './tasks.ts'
import type { Showing } from './visits.ts'

/** One event before its transport. */
export interface WorldEvent {
  readonly kind: 'impression' | WorldTask
  readonly key: Uint8Array
  readonly timeMs: EventTime
  /** The fields of the kind's schema in `schemas/`. */
  readonly value: Readonly<Record<string, unknown>>
}

/** The impression of a showing; `key` is its id as bytes. */
export function impressionOf(showing: Omit<Showing, 'userIndex'>, key: Uint8Array): WorldEvent {
  const { id, user, item, timeMs } = showing
  const value = {
    event_id: `impression-${id}`,
    impression_id: id,
    user_id: user.id,
    item_id: item.id,
    category: CATEGORIES[item.category],
    author_id: `a${item.author}`,
    age_band: AGE_BANDS[user.ageBand],
    country: COUNTRIES[user.country],
    position: showing.position,
    device: DEVICES[showing.device],
    tags: item.tags.map((tag) => `tag-${tag}`),
    item_age_hours: showing.itemAgeHours,
    event_time: timeMs,
  }
  return { kind: 'impression', key, timeMs, value }
}

/** An action on an impression, by whom and on what. */
export interface ActionOn {
  /** The impression id as bytes. */
  readonly key: Uint8Array
  readonly impressionId: string
  readonly userId: string
  readonly itemId: string
}

/** The event of an action. */
export function actionOf(task: WorldTask, on: ActionOn, timeMs: EventTime): WorldEvent {
  const value = {
    event_id: `${task}-${on.impressionId}`,
    impression_id: on.impressionId,
    user_id: on.userId,
    item_id: on.itemId,
    event_time: timeMs,
  }
  return { kind: task, key: on.key, timeMs, value }
}
