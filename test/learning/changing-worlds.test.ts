/** @file Short forms of what docs/learning.md says of drift, spam and wrong clocks. */

import { beforeAll, describe, expect, test } from 'vitest'
import { figuresOf, RATES } from '../../bench/learning/drift.ts'
import { eventsWithin, lateShare } from '../../bench/learning/skew.ts'
import { spamFeatures } from '../../bench/learning/spam.ts'
import {
  between,
  calibrationToTruth,
  joinWith,
  learnWorld,
  type Sections,
  worldJob,
  worldLog,
} from '../../bench/learning/world-run.ts'
import type { Engine } from '../../src/tensors/engine.ts'
import { openEngine } from '../../src/tensors/engine-choice.ts'
import type { WorldInput } from '../../src/world/world-options.ts'

let engine: Engine

beforeAll(async () => {
  engine = (await openEngine('auto')).engine
})

async function learned(sections: Sections, world: WorldInput) {
  const job = worldJob(sections)
  const { log, options } = await worldLog(job, world)
  return { options, ...(await learnWorld({ job, log, options, engine })) }
}

describe('tastes that change at once', () => {
  test('are noticed by the loss, and rates that start again follow sooner than rates that decay on', async () => {
    const impressions = 45_000
    const hours = impressions / 5 / 3600
    const change = { kind: 'abrupt' as const, at_hours: 0.6 * hours }
    const world = { impressions, impressions_per_second: 5, change, drift_hours: 0 }
    const figures = await Promise.all(
      ['decay', 'decay, reset on drift'].map(async (name) => {
        const sections = RATES.find((rates) => rates.name === name)?.sections ?? {}
        const run = await learned(sections, world)
        return figuresOf(run, run.options)
      }),
    )
    for (const found of figures) {
      expect(found['alarms of losses before it']).toBe(0)
      expect(found['first alarm of a loss, minutes after it']).toBeLessThan(25)
    }
    const [decays, resets] = figures.map((found) => Number(found['last half hour']))
    expect(resets).toBeLessThan(0.95 * (decays ?? 0))
  }, 240_000)
})

test('the surge guard keeps a bot from raising what real users are predicted to do', async () => {
  const spam = { minutes: 10, at_hours: 0.4 }
  const afterBurst = async (guarded: boolean): Promise<number> => {
    const join = joinWith(`guard: { enabled: ${guarded} }`)
    const world = { impressions: 24_000, spam }
    const { judged, options } = await learned({ ...spamFeatures(false), join }, world)
    const from = options.start_ms + (spam.at_hours * 60 + 10) * 60_000
    const share = judged.find(({ task }) => task === 'share')
    return calibrationToTruth(between(share!, (time) => time >= from && time < from + 300_000))
  }
  expect(await afterBurst(false)).toBeGreaterThan(1.5)
  expect(Math.abs((await afterBurst(true)) - 1)).toBeLessThan(0.3)
}, 240_000)

test('one wrong clock makes most events late, unless the lateness covers it', async () => {
  const world = { impressions: 4_000, skew: { share: 0.05, ms: 60_000 } }
  const late = async (latenessMs: number): Promise<number> =>
    lateShare((await learned({ events: eventsWithin(latenessMs) }, world)).stages)
  expect(await late(5_000)).toBeGreaterThan(0.5)
  expect(await late(90_000)).toBeLessThan(0.01)
}, 120_000)
