/** @file The label flow on drawn streams: silence is noticed before the first row that it hit leaves, chance is not. */

import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from '../../src/bytes.ts'
import { LabelFlow } from '../../src/join/label-flow.ts'
import type { GuardOptions } from '../../src/join/options.ts'
import { poissonAtLeast, poissonAtMost } from '../../src/join/poisson.ts'
import { randomFrom } from '../../src/random.ts'

const WINDOW_MS = 30_000
const MINUTE = 60_000
const OPTIONS: GuardOptions = { outageBelow: 0.25, surgeAbove: 3, freezeAtMostMs: 60 * MINUTE }

interface Stream {
  readonly minutes: number
  readonly perSecond: number
  /** Labels per impression at a time. */
  readonly rateAt: (time: number) => number
  readonly seed: number
}

/** Impressions and labels in the order of time; a label comes up to ten seconds after its impression. */
function* events({
  minutes,
  perSecond,
  rateAt,
  seed,
}: Stream): Generator<[time: number, label: boolean]> {
  const random = randomFrom(seed)
  const labels: number[] = []
  for (let time = 0; time < minutes * MINUTE; time += 1000 / perSecond) {
    labels.sort((a, b) => a - b)
    while (labels[0] !== undefined && labels[0] <= time) yield [labels.shift() ?? 0, true]
    yield [time, false]
    if (random.uniform() < rateAt(time)) labels.push(time + 10_000 * random.uniform() ** 2)
  }
}

function feed(flow: LabelFlow, all: Iterable<[number, boolean]>): void {
  for (const [time, label] of all) {
    if (label) flow.label(time)
    else flow.impression(time)
  }
}

const steady = (rate: number) => (): number => rate

describe('the label flow', () => {
  it.each([0.28, 0.05, 0.005])('takes chance for chance at a label rate of %d', (rate) => {
    for (const seed of [1, 2, 3]) {
      const flow = new LabelFlow(WINDOW_MS, OPTIONS)
      feed(flow, events({ minutes: 240, perSecond: 5, rateAt: steady(rate), seed }))
      expect(flow.state).toBe('flowing')
      expect(flow.count).toBe(0)
    }
  })

  it('needs labels to know what is usual', () => {
    const flow = new LabelFlow(WINDOW_MS, OPTIONS)
    feed(flow, events({ minutes: 10, perSecond: 5, rateAt: steady(0.001), seed: 1 }))
    expect(flow.state).toBe('warming-up')
  })

  it('notices an outage before the window of the first impression that it hit has ended', () => {
    const [from, to] = [60 * MINUTE, 70 * MINUTE]
    const flow = new LabelFlow(WINDOW_MS, OPTIONS)
    const rateAt = (time: number): number => (time > from && time < to ? 0 : 0.28)
    let noticedAt = Number.POSITIVE_INFINITY
    let overAt = Number.POSITIVE_INFINITY
    for (const [time, label] of events({ minutes: 100, perSecond: 10, rateAt, seed: 4 })) {
      if (label) flow.label(time)
      else flow.impression(time)
      if (flow.state === 'outage') noticedAt = Math.min(noticedAt, time)
      else if (time > to) overAt = Math.min(overAt, time)
    }
    expect(noticedAt).toBeGreaterThan(from)
    expect(noticedAt).toBeLessThan(from + WINDOW_MS)
    expect(overAt).toBeLessThan(to + WINDOW_MS)
    expect(flow.state).toBe('flowing')
    expect(flow.count).toBe(1)
    // Every impression whose labels are missing is in doubt, and few others are.
    for (let time = from; time <= to; time += 1000) {
      expect(flow.isDoubtful(time, time + WINDOW_MS)).toBe(true)
    }
    expect(flow.isDoubtful(from - 2 * MINUTE, from - 2 * MINUTE + WINDOW_MS)).toBe(false)
    expect(flow.isDoubtful(to + MINUTE, to + MINUTE + WINDOW_MS)).toBe(false)
    expect(flow.wasFrozen(from)).toBe(false)
    expect(flow.wasFrozen((from + to) / 2)).toBe(true)
    flow.forget(80 * MINUTE)
    expect(flow.isDoubtful(from, to)).toBe(false)
  })

  it('calls far too many labels a surge, and new customs usual in the end', () => {
    const flow = new LabelFlow(WINDOW_MS, { ...OPTIONS, freezeAtMostMs: 20 * MINUTE })
    const rateAt = (time: number): number => (time > 60 * MINUTE ? 0.4 : 0.05)
    feed(flow, events({ minutes: 65, perSecond: 10, rateAt, seed: 5 }))
    expect(flow.state).toBe('surge')
    const later = new LabelFlow(WINDOW_MS, { ...OPTIONS, freezeAtMostMs: 20 * MINUTE })
    feed(later, events({ minutes: 120, perSecond: 10, rateAt, seed: 5 }))
    expect(later.state).toBe('flowing')
    expect(later.usualRate).toBeCloseTo(0.4, 1)
  })

  it('is not disturbed by a silent night or by traffic that rises within a minute', () => {
    const flow = new LabelFlow(WINDOW_MS, OPTIONS)
    for (const [time, label] of events({
      minutes: 60,
      perSecond: 5,
      rateAt: steady(0.2),
      seed: 6,
    })) {
      if (label) flow.label(time)
      else flow.impression(time)
    }
    const morning = 10 * 60 * MINUTE
    for (const [time, label] of events({
      minutes: 60,
      perSecond: 40,
      rateAt: steady(0.2),
      seed: 7,
    })) {
      if (label) flow.label(morning + time)
      else flow.impression(morning + time)
    }
    expect(flow.count).toBe(0)
  })

  it('goes on from a snapshot as if nothing had been', () => {
    const rateAt = (time: number): number => (time > 30 * MINUTE && time < 33 * MINUTE ? 0 : 0.2)
    const all = [...events({ minutes: 40, perSecond: 5, rateAt, seed: 8 })]
    const whole = new LabelFlow(WINDOW_MS, OPTIONS)
    feed(whole, all)
    for (const share of [0.1, 0.5, 0.79, 0.81, 0.9]) {
      const at = Math.floor(all.length * share)
      const first = new LabelFlow(WINDOW_MS, OPTIONS)
      feed(first, all.slice(0, at))
      const writer = new ByteWriter()
      first.write(writer)
      const restored = new LabelFlow(WINDOW_MS, OPTIONS)
      restored.read(new ByteReader(writer.finish()))
      feed(restored, all.slice(at))
      expect(bytesOf(restored)).toEqual(bytesOf(whole))
    }
  })
})

function bytesOf(flow: LabelFlow): Uint8Array {
  const writer = new ByteWriter()
  flow.write(writer)
  return writer.finish()
}

it('Poisson tails are those of the tables', () => {
  expect(poissonAtMost(0, 3)).toBeCloseTo(Math.exp(-3), 12)
  expect(poissonAtMost(5, 5)).toBeCloseTo(0.615961, 6)
  expect(poissonAtLeast(6, 5)).toBeCloseTo(1 - 0.615961, 6)
  expect(poissonAtLeast(0, 5)).toBe(1)
  // Far out, where one minus the other tail has no digits left.
  expect(poissonAtLeast(60, 10) / 8.3e-27).toBeCloseTo(1, 0)
  expect(poissonAtLeast(1, 0)).toBe(0)
})
