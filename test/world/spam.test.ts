import { expect, test } from 'vitest'
import { Truth } from '../../src/world/truth.ts'
import { worldOptions } from '../../src/world/world-options.ts'
import { deliveriesOf, number, text } from './whole-run.ts'

const HOUR = 3_600_000
const WORLD = { impressions: 3_000, seed: 5 }

test('a bot comes for some minutes and takes every action; the rest of the world is the same without it', () => {
  const spam = { minutes: 2, at_hours: 0.02, per_visit: 2 }
  const options = worldOptions.parse({ ...WORLD, spam })
  const all = deliveriesOf(options)
  const bots = all.filter((delivery) => text(delivery, 'user_id') === 'bot')
  expect(all.filter((delivery) => !bots.includes(delivery))).toEqual(
    deliveriesOf(worldOptions.parse(WORLD)),
  )
  const ofKind = (kind: string) => bots.filter((delivery) => delivery.kind === kind)
  // Two minutes of ten impressions a second are 200 visits of six.
  expect(ofKind('impression').length).toBe(2 * 200)
  for (const kind of ['click', 'like', 'share']) {
    expect(ofKind(kind).length).toBe(ofKind('impression').length)
  }
  expect(new Set(bots.map((delivery) => text(delivery, 'item_id'))).size).toBe(1)
  const from = options.start_ms + spam.at_hours * HOUR
  for (const bot of bots) {
    expect(number(bot, 'event_time')).toBeGreaterThanOrEqual(from)
    expect(number(bot, 'event_time')).toBeLessThan(from + spam.minutes * 60_000 + 5_000)
  }
  expect(new Truth(options).probabilities(text(bots[0]!, 'impression_id'))).toBeUndefined()
})

test('a wrong clock dates a share of the visits otherwise and changes nothing else', () => {
  const skew = { share: 0.25, ms: -60_000 }
  const right = deliveriesOf(worldOptions.parse(WORLD))
  const wrong = deliveriesOf(worldOptions.parse({ ...WORLD, skew }))
  expect(wrong.length).toBe(right.length)
  let moved = 0
  for (const [i, delivery] of wrong.entries()) {
    const apart = number(delivery, 'event_time') - number(right[i]!, 'event_time')
    expect([0, skew.ms]).toContain(apart)
    const event_time = right[i]!.value.event_time
    expect({ ...delivery, value: { ...delivery.value, event_time } }).toEqual(right[i])
    if (apart !== 0) moved += 1
  }
  expect(moved / wrong.length).toBeGreaterThan(0.2)
  expect(moved / wrong.length).toBeLessThan(0.3)
})
