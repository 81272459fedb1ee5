import { expect, test } from 'vitest'
import { AGE_BANDS, COUNTRIES, DEVICES, drawUsers, pick } from '../../src/world/population.ts'
import { Visits } from '../../src/world/visits.ts'
import { worldOptions } from '../../src/world/world-options.ts'

const options = worldOptions.parse({ slate: 12, items: 12 })
const visits = new Visits(options)

test('a visit shows one user different items, one after the other, from its own time on', () => {
  for (let visit = 0; visit < 200; visit++) {
    const showings = visits.showings(visit, visits.randomOf(visit))
    expect(showings.map(({ position }) => position)).toEqual([...Array(12).keys()])
    expect(new Set(showings.map(({ user }) => user)).size).toBe(1)
    expect(new Set(showings.map(({ item }) => item.id.split('-')[0])).size).toBe(12)
    const times = showings.map(({ timeMs }) => timeMs)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(times[0]).toBeGreaterThanOrEqual(Math.floor(visits.earliestMs(visit)))
  }
})

test('impressions come at the stated pace', () => {
  const passedMs = visits.earliestMs(10_000) - visits.earliestMs(0)
  expect((10_000 * options.slate * 1000) / passedMs).toBeCloseTo(options.impressions_per_second, 9)
})

test('a user is the same in a small and in a large population', () => {
  expect(drawUsers(1, 10)).toEqual(drawUsers(1, 1000).slice(0, 10))
})

test('every age band, country and device has users', () => {
  const users = drawUsers(1, 2000)
  expect(new Set(users.map(({ ageBand }) => ageBand)).size).toBe(AGE_BANDS.length)
  expect(new Set(users.map(({ country }) => country)).size).toBe(COUNTRIES.length)
  expect(new Set(users.map(({ device }) => device)).size).toBe(DEVICES.length)
})

test('a pick takes the first share that reaches beyond the number', () => {
  expect([0, 0.19, 0.2, 0.99].map((u) => pick([0.2, 0.5, 1], u))).toEqual([0, 0, 1, 2])
})
