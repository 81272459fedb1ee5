/** @file Short forms of the claims of docs/learning.md: a small world each, with the tolerance that its noise asks for. */

import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { comparedFrom } from '../../bench/learning/actions.ts'
import { EXPERIMENTS } from '../../bench/learning/experiments.ts'
import { LEARNING_PAGE, tableOf } from '../../bench/learning/learning-page.ts'
import {
  calibrationToLabels,
  joinWith,
  laterThan,
  learnWorld,
  type Sections,
  sum,
  type WorldRun,
  worldJob,
  worldLog,
} from '../../bench/learning/world-run.ts'
import type { Engine } from '../../src/tensors/engine.ts'
import { openEngine } from '../../src/tensors/engine-choice.ts'

const IMPRESSIONS = 24_000
let engine: Engine
let world: Awaited<ReturnType<typeof worldLog>>

beforeAll(async () => {
  engine = (await openEngine('auto')).engine
  world = await worldLog(worldJob(), { impressions: IMPRESSIONS })
}, 120_000)

function learned(sections: Sections): Promise<WorldRun> {
  return learnWorld({ job: worldJob(sections), engine, ...world })
}

function fast(correction: string): Sections {
  const optimizers = 'sparse: { kind: adagrad, learning_rate: 0.05, initial_accumulator: 0.0001 }'
  return { join: joinWith('emission: fast'), train: `{ correction: ${correction}, ${optimizers} }` }
}

describe('an impression that is learned from at once', () => {
  test('without a correction teaches p / (1 + p), with one p', async () => {
    const uncorrected = laterThan((await learned(fast('none'))).judged[0]!, 1 / 3)
    const theory = sum(uncorrected.truths.map((p) => p / (1 + p))) / sum(uncorrected.truths)
    expect(theory).toBeLessThan(0.75)
    // The model lags behind while it learns: a few hundredths.
    expect(Math.abs(calibrationToLabels(uncorrected) - theory)).toBeLessThan(0.06)
    for (const correction of ['fnc', 'retraction']) {
      const corrected = laterThan((await learned(fast(correction))).judged[0]!, 1 / 3)
      expect(Math.abs(calibrationToLabels(corrected) - 1), correction).toBeLessThan(0.06)
    }
  }, 240_000)
})

test('a tenth of the negatives teaches the same probabilities', async () => {
  const { judged, stages } = await learned({ negatives: '{ keep: 0.1 }' })
  expect(stages.learner.samples).toBeLessThan(IMPRESSIONS * 0.5)
  const [click] = judged
  // All impressions are judged, whether they were learned from or not.
  expect(click?.keys.length).toBeGreaterThan(IMPRESSIONS * 0.95)
  expect(Math.abs(calibrationToLabels(laterThan(click!, 1 / 3)) - 1)).toBeLessThan(0.1)
}, 240_000)

test('actions without impressions teach calibrated choices that rank impressions, too', async () => {
  const rows = await comparedFrom({ engine, impressions: 15_000 }, 'actions, ids and fields')
  const click = rows.filter(({ task }) => task === 'click')
  const [best, found] = click.map((row) => Number(row['AUC over impressions']))
  expect(best).toBeGreaterThan(0.75)
  expect(found).toBeGreaterThan(0.62)
  expect(Math.abs(Number(click[1]?.['calibration of its own stream']) - 1)).toBeLessThan(0.1)
}, 240_000)

test('the documentation shows every experiment and the results that are kept', () => {
  for (const experiment of EXPERIMENTS) {
    const kept = JSON.parse(
      readFileSync(`bench/results/learning/${experiment.name}.json`, 'utf8'),
    ) as Parameters<typeof tableOf>[1]
    const page = readFileSync(experiment.page ?? LEARNING_PAGE, 'utf8')
    expect(page).toContain(tableOf(experiment, kept))
  }
})
