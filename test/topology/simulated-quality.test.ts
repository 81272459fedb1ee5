/** @file The default run of `npm start` against the known truth: calibration within 3 % and AUC within .01 over its last third. */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { auc } from '../../src/observe/auc.ts'
import { calibrationRatio } from '../../src/observe/calibration.ts'
import { parseJob } from '../../src/settings/job.ts'
import { openEngine } from '../../src/tensors/engine-choice.ts'
import { Truth } from '../../src/world/truth.ts'
import { World } from '../../src/world/world.ts'
import { worldOptions } from '../../src/world/world-options.ts'
import { joinWhole } from '../../topology/join-whole.ts'
import { produce } from '../../topology/produce.ts'
import { learnWhole } from './learn-whole.ts'
import { frozenClock, openJobLog, temporaryFolder } from './temporary-job.ts'

const IMPRESSIONS = 300_000

test('over the last third of the default run every task is calibrated and close to the truth', async () => {
  const folder = temporaryFolder()
  const file = resolve('examples/simulated/job.yaml')
  const text = readFileSync(file, 'utf8').replace('.millrace/simulated/bus', `${folder}/bus`)
  const job = parseJob(file, `${text.replace(/^train:$/m, `train:\n  state: ${folder}/state`)}`)
  const options = worldOptions.parse({ impressions: IMPRESSIONS })
  const world = new World(options)
  const log = await openJobLog(job)
  await produce({ job, log, pull: (count) => world.pull(count), clock: frozenClock })

  const ids: string[] = []
  const { outputs } = await joinWhole(job, log, frozenClock)
  for await (const { samples } of outputs) for (const sample of samples) ids.push(sample.key)
  const { engine, name } = await openEngine(job.train.engine)
  const { stages } = await learnWhole({ job, log, engine })
  await log.close()
  expect(stages.predictions.rows).toBe(ids.length)

  const truth = new Truth(options)
  const from = Math.floor((ids.length * 2) / 3)
  const truths = ids.slice(from).map((id) => truth.probabilities(id))
  for (const [index, task] of (['click', 'like', 'share'] as const).entries()) {
    const { probabilities, labels } = stages.predictions.labelled(index, from)
    const best = auc(
      Float64Array.from(truths, (p) => p?.[task] ?? Number.NaN),
      labels,
    )
    const reached = auc(probabilities, labels)
    const calibration = calibrationRatio(probabilities, labels)
    console.log(`${name} ${task}: AUC ${reached} of ${best}, calibration ${calibration}`)
    expect(best, task).toBeGreaterThan(0.7)
    expect(reached, task).toBeGreaterThan((best ?? 1) - 0.01)
    expect(Math.abs((calibration ?? 0) - 1), task).toBeLessThan(0.03)
  }
}, 600_000)
