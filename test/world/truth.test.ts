import { expect, test } from 'vitest'
import { WORLD_TASKS } from '../../src/world/tasks.ts'
import { Truth } from '../../src/world/truth.ts'
import { Visits } from '../../src/world/visits.ts'
import { worldOptions } from '../../src/world/world-options.ts'
import { calm, deliveriesOf, joined } from './whole-run.ts'

test('the probability of an impression follows from its id alone, in any order', () => {
  const options = worldOptions.parse({ seed: 3 })
  const visits = new Visits(options)
  const truth = new Truth(options)
  const showings = [5, 9_000, 17].flatMap((visit) => visits.showings(visit, visits.randomOf(visit)))
  const direct = showings.map((showing) => truth.probabilitiesOf(showing))
  const fresh = new Truth(options)
  const byId = showings.toReversed().map(({ id }) => fresh.probabilities(id))
  expect(byId.toReversed()).toEqual(direct)
})

test('what is no impression has no probability', () => {
  const truth = new Truth(worldOptions.parse({}))
  for (const id of ['ghost-1-2', '', '12', '1-99', 'x-1']) {
    expect(truth.probabilities(id)).toBeUndefined()
  }
})

test('tastes give way to other ones at once, by and by, or back and forth', () => {
  const before = worldOptions.parse({ seed: 3 })
  const visits = new Visits(before)
  /** Mean distance of the click probability from that of the unchanged world, hour by hour. */
  const distances = (kind: string): number[] => {
    const change = { kind, at_hours: 2, over_hours: 2 }
    const changed = new Truth(worldOptions.parse({ seed: 3, change }))
    const same = new Truth(before)
    return [1, 2.5, 3.5, 4.5, 6.5].map((hours) => {
      const first = Math.floor((hours * 3600 * before.impressions_per_second) / before.slate)
      const showings = Array.from({ length: 50 }, (_, i) =>
        visits.showings(first + i, visits.randomOf(first + i)),
      ).flat()
      const apart = showings.map((one) =>
        Math.abs(changed.probabilitiesOf(one).click - same.probabilitiesOf(one).click),
      )
      return apart.reduce((sum, one) => sum + one, 0) / apart.length
    })
  }
  expect(distances('none')).toEqual([0, 0, 0, 0, 0])
  const [calm = 1, ...later] = distances('abrupt')
  expect(calm).toBe(0)
  for (const apart of later) expect(apart).toBeGreaterThan(0.1)
  const gradual = distances('gradual')
  expect(gradual[1]).toBeLessThan((gradual[2] ?? 0) * 0.7)
  expect(gradual[3]).toBeCloseTo(later[2] ?? 0, 9)
  const recurring = distances('recurring')
  expect(recurring[1]).toBeGreaterThan(0.1)
  expect(recurring[3]).toBe(0)
  expect(recurring[4]).toBeGreaterThan(0.1)
})

test('labels come true as often as the probabilities say, in every tenth of the scores', () => {
  const options = calm({ impressions: 40_000, seed: 11 })
  const rows = joined(deliveriesOf(options), options)
  const truth = new Truth(options)
  const p = rows.map(({ id }) => truth.probabilities(id))
  WORLD_TASKS.forEach((task, index) => {
    const scored = rows.map(({ labels }, row) => ({
      y: labels[index] ?? 0,
      p: p[row]?.[task] ?? -1,
    }))
    scored.sort((a, b) => a.p - b.p)
    for (let tenth = 0; tenth < 10; tenth++) {
      const part = scored.slice(tenth * 4_000, (tenth + 1) * 4_000)
      const expected = part.reduce((sum, { p }) => sum + p, 0)
      const seen = part.reduce((sum, { y }) => sum + y, 0)
      // Actions after their window (0.2 %) are missing; the rest is chance, four standard deviations.
      expect(Math.abs(seen - expected)).toBeLessThan(4 * Math.sqrt(expected) + 0.004 * expected)
    }
  })
})

test('base rates are those of a short-video app, whatever the seed', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const options = worldOptions.parse({ seed })
    const visits = new Visits(options)
    const truth = new Truth(options)
    const mean = { click: 0, like: 0, share: 0 }
    for (let visit = 0; visit < 50_000; visit += 25) {
      for (const showing of visits.showings(visit, visits.randomOf(visit))) {
        const p = truth.probabilitiesOf(showing)
        for (const task of WORLD_TASKS) mean[task] += p[task] / 12_000
      }
    }
    expect(mean.click).toBeGreaterThan(0.24)
    expect(mean.click).toBeLessThan(0.36)
    expect(mean.like).toBeGreaterThan(0.06)
    expect(mean.like).toBeLessThan(0.12)
    expect(mean.share).toBeGreaterThan(0.03)
    expect(mean.share).toBeLessThan(0.06)
  }
})

test('tastes wander with event time, and stand still when drift is off', () => {
  const change = (drift_hours: number) => {
    const options = worldOptions.parse({ drift_hours })
    const visits = new Visits(options)
    const truth = new Truth(options)
    const [showing] = visits.showings(0, visits.randomOf(0))
    if (showing === undefined) throw new Error('no showing')
    // A day later: the same hour of the day, so that only drift is left.
    const later = { ...showing, timeMs: showing.timeMs + 86_400_000 }
    return Math.abs(truth.probabilitiesOf(later).click - truth.probabilitiesOf(showing).click)
  }
  expect(change(0)).toBeLessThan(1e-12)
  expect(change(14)).toBeGreaterThan(0.01)
})
