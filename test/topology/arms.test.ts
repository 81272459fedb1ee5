/** @file An A/B test on one bus: what each arm learns is as if the samples that it leaves out had never been. */

import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { spamFeatures } from '../../bench/learning/spam.ts'
import { joinWith, stillClock, worldJob, worldLog } from '../../bench/learning/world-run.ts'
import type { Delivery } from '../../src/delivery.ts'
import { snapshotTable } from '../../src/embeddings/table-snapshot.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { COUNTRIES } from '../../src/world/population.ts'
import { armFigures } from '../../topology/arms-report.ts'
import type { JobStages } from '../../topology/job-stages.ts'
import { learnLog } from '../../topology/learn-log.ts'

const CALM = { duplicate: 0, late: 0, malformed: 0, orphan: 0 }
const WORLD = { impressions: 3_000, disturbances: CALM }

/** The arms are the countries: every impression of the simulated app names one. */
function armOf(name: string, setting: string): string {
  const others = COUNTRIES.filter((country) => country !== name)
  return `{ field: country, name: ${name}, others: [${others.join(', ')}], ${setting} }`
}

/** Rates too: what is left out must not reach them. */
const SECTIONS = { ...spamFeatures(false), join: joinWith('guard: { enabled: false }') }

async function learned(
  arm: string | undefined,
  change?: (delivery: Delivery) => Delivery | undefined,
): Promise<JobStages> {
  const job = worldJob({ ...SECTIONS, ...(arm === undefined ? {} : { arm }) })
  const { log } = await worldLog(job, WORLD, change)
  return learnLog({ job, log, engine: plainEngine('float32'), clock: stillClock })
}

/** sha256 of everything that was learned. */
function learnedState({ learner, table, featureState }: JobStages): string {
  const hash = createHash('sha256').update(learner.snapshot()).update(snapshotTable(table))
  for (const [, one] of featureState.tables) hash.update(snapshotTable(one))
  return hash.digest('hex')
}

/** Only what happened in one country. */
function onlyIn(country: string): (delivery: Delivery) => Delivery | undefined {
  const shown = new Set<unknown>()
  return (delivery) => {
    const { impression_id: id } = delivery.value
    if (delivery.kind === 'impression' && delivery.value.country === country) shown.add(id)
    return shown.has(id) ? delivery : undefined
  }
}

describe('an arm', () => {
  let own: JobStages
  beforeAll(async () => {
    own = await learned(armOf('DE', 'train_on: own'))
  }, 60_000)

  test('that trains on its own traffic has learned nothing from the others, not even a rate', async () => {
    const alone = await learned(undefined, onlyIn('DE'))
    expect(own.learner.samples).toBe(alone.learner.samples)
    expect(own.learner.samples).toBeLessThan(WORLD.impressions / 4)
    expect(learnedState(own)).toBe(learnedState(alone))
    const figures = armFigures(own) ?? []
    for (const { arm, learned, leftOut, tasks } of figures.filter(({ arm }) => arm !== 'unnamed')) {
      expect(learned > 0, arm).toBe(arm === 'DE')
      expect(leftOut > 0, arm).toBe(arm !== 'DE')
      expect(tasks[0]?.window.samples, arm).toBe(arm === 'DE' ? learned : 0)
    }
  }, 60_000)

  test('that mirrors another one learns what that one does', async () => {
    const mirror = await learned(armOf('US', 'train_on: mirrored, mirrors: DE'))
    expect(learnedState(mirror)).toBe(learnedState(own))
  }, 60_000)

  test('that shares all traffic learns what a job without arms does, with figures per arm', async () => {
    const shared = await learned(armOf('DE', 'train_on: shared'))
    expect(learnedState(shared)).toBe(learnedState(await learned(undefined)))
    const figures = armFigures(shared) ?? []
    expect(figures.reduce((sum, { learned }) => sum + learned, 0)).toBe(shared.learner.samples)
    const named = figures.filter(({ arm }) => arm !== 'unnamed')
    for (const { tasks } of named) expect(tasks[0]?.window.auc).toBeGreaterThan(0.4)
  }, 60_000)
})
