/** @file Delay curves against a slow Kaplan-Meier estimate and against delays that are known. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DelayHistograms, lostShare, windowFor } from '../../src/join/delay-curve.ts'
import { randomFrom } from '../../src/random.ts'

const HORIZON_MS = 10_000

interface Subject {
  /** Age at which it is looked at. */
  readonly ageMs: number
  /** When its label comes, if ever. */
  readonly delayMs: number | undefined
}

/** The product over the distinct delays of 1 - events / at risk, one subject after the other. */
function slowArrived(subjects: readonly Subject[], untilMs: number): number {
  const seen = subjects.map(({ ageMs, delayMs }) =>
    delayMs !== undefined && delayMs <= ageMs
      ? { at: delayMs, event: true }
      : { at: ageMs, event: false },
  )
  const survivalAt = (limit: number): number =>
    [...new Set(seen.filter(({ event, at }) => event && at <= limit).map(({ at }) => at))].reduce(
      (survival, time) => {
        const risk = seen.filter(({ at }) => at >= time).length
        const events = seen.filter(({ at, event }) => event && at === time).length
        return survival * (1 - events / risk)
      },
      1,
    )
  return (1 - survivalAt(untilMs)) / (1 - survivalAt(HORIZON_MS))
}

function curveOf(subjects: readonly Subject[]) {
  const histograms = new DelayHistograms(['click'], HORIZON_MS)
  const open = []
  for (const { ageMs, delayMs } of subjects) {
    const seen = delayMs !== undefined && delayMs <= ageMs ? delayMs : -1
    if (ageMs >= HORIZON_MS) histograms.add(() => seen)
    else open.push({ ageMs, delaysMs: [seen] })
  }
  const [curve] = histograms.curves(open)
  if (curve === undefined) throw new Error('one task is expected')
  return curve
}

/** Exponential delays with this mean, for a share of the impressions; ages up to three times the horizon. */
function drawn(count: number, meanMs: number, rate: number, youngest: number): Subject[] {
  const random = randomFrom(3)
  return Array.from({ length: count }, () => {
    const delayMs = Math.floor(-meanMs * Math.log(1 - random.uniform()))
    const ageMs = Math.min(HORIZON_MS, Math.floor(youngest * random.uniform()))
    return { ageMs, delayMs: random.uniform() < rate && delayMs < HORIZON_MS ? delayMs : undefined }
  })
}

describe('a delay curve', () => {
  it('is the Kaplan-Meier estimate, up to the width of its bins', () => {
    const subjects = drawn(2_000, 1_500, 0.4, 3 * HORIZON_MS)
    const curve = curveOf(subjects)
    for (const windowMs of [200, 1_000, 3_000, 6_000]) {
      expect(1 - (lostShare(curve, windowMs) ?? 0)).toBeCloseTo(
        slowArrived(subjects, windowMs),
        1.5,
      )
    }
  })

  it('does not take a young stream for a fast one', () => {
    // Nothing is older than the horizon, and most of it far younger.
    const subjects = drawn(200_000, 2_000, 0.3, 1.2 * HORIZON_MS)
    const curve = curveOf(subjects)
    const truth = (ms: number): number =>
      1 - (1 - Math.exp(-ms / 2_000)) / (1 - Math.exp(-HORIZON_MS / 2_000))
    const seen = subjects.filter(({ ageMs, delayMs }) => delayMs !== undefined && delayMs <= ageMs)
    const naive = (ms: number): number =>
      seen.filter(({ delayMs }) => (delayMs ?? 0) > ms).length / seen.length
    for (const windowMs of [1_000, 3_000, 6_000]) {
      const lost = lostShare(curve, windowMs) ?? 0
      expect(Math.abs(lost - truth(windowMs))).toBeLessThan(0.01)
      expect(Math.abs(naive(windowMs) - truth(windowMs))).toBeGreaterThan(
        Math.abs(lost - truth(windowMs)),
      )
    }
  })

  it('falls as the window grows, and its window for a share loses no more than that', () => {
    const subject = fc.record({
      ageMs: fc.integer({ min: 0, max: HORIZON_MS }),
      delayMs: fc.option(fc.integer({ min: 0, max: HORIZON_MS - 1 }), { nil: undefined }),
    })
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.array(subject, { minLength: 1 }), share, (subjects, lost) => {
        const curve = curveOf(subjects)
        const losses = [0, 10, 100, 1_000, 5_000, HORIZON_MS].map((ms) => lostShare(curve, ms))
        if (curve.labels === 0) {
          expect(losses.every((loss) => loss === undefined)).toBe(true)
          expect(windowFor(curve, lost)).toBeUndefined()
          return
        }
        for (const [i, loss] of losses.entries()) {
          expect(loss).toBeLessThanOrEqual((losses[i - 1] ?? 1) + 1e-12)
        }
        const windowMs = windowFor(curve, lost) ?? 0
        expect(lostShare(curve, windowMs)).toBeLessThanOrEqual(lost + 1e-9)
      }),
    )
  })
})
