import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Delivery } from '../../src/delivery.ts'
import { AvroCodec } from '../../src/wire/avro-codec.ts'
import { loadSchema } from '../../src/wire/avro-schema.ts'
import { World } from '../../src/world/world.ts'
import { worldOptions } from '../../src/world/world-options.ts'
import { calm, deliveriesOf, number, text } from './whole-run.ts'

const kinds = ['impression', 'click', 'like', 'share']
const usual = worldOptions.parse({ impressions: 60_000 })
const delivered = deliveriesOf(usual)

function of(kind: string, deliveries: readonly Delivery[] = delivered): Delivery[] {
  return deliveries.filter((delivery) => delivery.kind === kind)
}

test('however it is pulled, a world delivers the same', () => {
  const options = worldOptions.parse({
    impressions: 500,
    disturbances: { late: 0.05, duplicate: 0.1 },
  })
  const whole = deliveriesOf(options)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 12 }), (cuts) => {
      const world = new World(options)
      const pulled = cuts.flatMap((count) => world.pull(count))
      expect([...pulled, ...world.pull(10_000)]).toEqual(whole)
      expect(world.pull(1)).toEqual([])
    }),
    { seed: 7, numRuns: 20 },
  )
})

test('another seed makes another world', () => {
  const ids = (seed: number) =>
    new World(worldOptions.parse({ seed })).pull(50).map((delivery) => delivery.value.user_id)
  expect(ids(1)).toEqual(ids(1))
  expect(ids(1)).not.toEqual(ids(2))
})

test('deliveries come in the order of their timestamps, and none before its event happened', () => {
  const timestamps = delivered.map(({ timestampMs }) => timestampMs)
  expect(timestamps).toEqual(timestamps.toSorted((a, b) => a - b))
  const early = delivered.filter(
    (delivery) =>
      delivery.damage === undefined && delivery.timestampMs < number(delivery, 'event_time'),
  )
  expect(early).toEqual([])
})

test('a bounded world makes exactly as many impressions as asked for', () => {
  const ids = new Set(of('impression').map((delivery) => text(delivery, 'impression_id')))
  expect(ids.size).toBe(60_000)
  const odd = worldOptions.parse({ impressions: 7, slate: 3 })
  expect(new Set(of('impression', deliveriesOf(odd)).map(({ key }) => String(key))).size).toBe(7)
})

test('every value is written by its schema and read back as it was', () => {
  for (const kind of kinds) {
    const codec = new AvroCodec({ schema: loadSchema(`schemas/${kind}.avsc`) })
    const some = of(kind).slice(0, 300)
    expect(some.length).toBe(300)
    for (const { value } of some) {
      expect(codec.decode(codec.encode(value))).toMatchObject({ kind: 'value', value })
    }
  }
})

test('no event tells what only the truth may know', () => {
  const fields = new Set(of('impression').flatMap(({ value }) => Object.keys(value)))
  expect([...fields].sort()).toEqual([
    'age_band',
    'author_id',
    'category',
    'country',
    'device',
    'event_id',
    'event_time',
    'impression_id',
    'item_age_hours',
    'item_id',
    'position',
    'tags',
    'user_id',
  ])
})

test('each disturbance has its stated share', () => {
  const events = new Set(
    delivered.filter(({ damage }) => damage?.how !== 'no-id').map((d) => text(d, 'event_id')),
  )
  const shareOf = (count: number) => count / events.size
  const late = delivered.filter(
    (d) => d.damage === undefined && d.timestampMs - number(d, 'event_time') > 60_000,
  ).length
  const orphans = of('click').filter((d) => text(d, 'impression_id').startsWith('ghost')).length
  const damaged = delivered.filter(({ damage }) => damage !== undefined).length
  // Four standard deviations of a binomial share.
  const near = (share: number) => 4 * Math.sqrt(share / events.size)
  expect(Math.abs(shareOf(delivered.length - events.size) - 0.01)).toBeLessThan(near(0.01))
  expect(Math.abs(shareOf(late) - 0.001)).toBeLessThan(near(0.001))
  expect(Math.abs(shareOf(damaged) - 0.0005)).toBeLessThan(near(0.0005))
  expect(Math.abs(orphans / 60_000 - 0.0005)).toBeLessThan(4 * Math.sqrt(0.0005 / 60_000))
})

test('events are out of order, but an ordinary one is never later than the allowed lateness', () => {
  let newestMs = 0
  let outOfOrder = 0
  let late = 0
  for (const delivery of delivered.filter(({ damage }) => damage === undefined)) {
    const timeMs = number(delivery, 'event_time')
    const behindMs = newestMs - timeMs
    if (behindMs > 0) outOfOrder++
    if (behindMs > usual.lateness_ms && delivery.timestampMs - timeMs < usual.lateness_ms) late++
    newestMs = Math.max(newestMs, timeMs)
  }
  expect(outOfOrder / delivered.length).toBeGreaterThan(0.5)
  expect(late).toBe(0)
})

test('likes and shares without a click exist, and those with one are more than chance', () => {
  const plain = deliveriesOf(calm({ impressions: 20_000 }))
  const keys = (kind: string) => new Set(of(kind, plain).map((d) => text(d, 'impression_id')))
  const clicks = keys('click')
  for (const kind of ['like', 'share']) {
    const acted = [...keys(kind)]
    const clicked = acted.filter((id) => clicks.has(id)).length / acted.length
    expect(clicked).toBeGreaterThan((1.5 * clicks.size) / 20_000)
    expect(clicked).toBeLessThan(0.9)
  }
})

test('every action answers an impression that was made, at a later time', () => {
  const plain = deliveriesOf(calm({ impressions: 5_000 }))
  const times = new Map(
    of('impression', plain).map((d) => [text(d, 'impression_id'), number(d, 'event_time')]),
  )
  const afterMs = plain
    .filter(({ kind }) => kind !== 'impression')
    .map((d) => number(d, 'event_time') - (times.get(text(d, 'impression_id')) ?? Number.NaN))
  expect(afterMs.length).toBeGreaterThan(1_000)
  expect(afterMs.filter((ms) => !(ms >= 1))).toEqual([])
})
