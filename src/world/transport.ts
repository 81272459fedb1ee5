/** @file The way from the app to the bus: every event is delayed a little, some arrive twice, late or damaged. */

import { DAMAGES, type Damage, type Delivery } from '../delivery.ts'
import type { Random } from '../random.ts'
import { damageValue } from './damage.ts'
import type { WorldEvent } from './world-event.ts'
import type { WorldOptions } from './world-options.ts'

/** Mean of the delay of an ordinary delivery, before the cut below the allowed lateness. */
const MEAN_DELAY_MS = 400
/** The second delivery of a duplicate comes within this time of the first. */
const REPEAT_WITHIN_MS = 20_000
/** A late delivery comes this much beyond the allowed lateness, so that its partition has moved on. */
const LATE_BY_MS = 60_000
const LATE_SPREAD_MS = 120_000

/** The deliveries of one event: one, or two where it is duplicated. An event suffers at most one disturbance. */
export function deliveriesOf(event: WorldEvent, options: WorldOptions, random: Random): Delivery[] {
  const { malformed, late, duplicate } = options.disturbances
  const { kind, key, value, timeMs } = event
  // Strictly below the allowed lateness: an ordinary delivery is never late, however busy its partition is.
  const jitterMs = Math.min(
    -MEAN_DELAY_MS * Math.log(1 - random.uniform()),
    0.9 * options.lateness_ms,
  )
  const first: Delivery = {
    kind,
    key,
    value,
    timestampMs: Math.floor(timeMs + jitterMs),
    damage: undefined,
  }
  const fate = random.uniform()
  if (fate < malformed) {
    const damage = drawDamage(random)
    return [{ ...first, value: damageValue(event, damage), damage }]
  }
  if (fate < malformed + late) {
    const lateMs = options.lateness_ms + LATE_BY_MS + LATE_SPREAD_MS * random.uniform()
    return [{ ...first, timestampMs: Math.floor(timeMs + lateMs) }]
  }
  if (fate < malformed + late + duplicate) {
    const againMs = Math.floor(REPEAT_WITHIN_MS * random.uniform() ** 3)
    return [first, { ...first, timestampMs: first.timestampMs + againMs }]
  }
  return [first]
}

function drawDamage(random: Random): Damage {
  const how = DAMAGES[random.integer(DAMAGES.length)] ?? 'empty'
  return { how, seed: random.integer(2 ** 32) }
}
