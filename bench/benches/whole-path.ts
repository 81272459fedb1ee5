/** @file The whole path, from the embedded log to published weights, beside the pure training step on the same batches. */

import { join } from 'node:path'
import { lastValueFrom } from 'rxjs'
import { MillraceError } from '../../src/errors.ts'
import type { Engine } from '../../src/tensors/engine.ts'
import { openEngine } from '../../src/tensors/engine-choice.ts'
import { openBus } from '../../topology/bus.ts'
import { type ComparedData, simulatedData } from '../../topology/compare-data.ts'
import { buildLearner } from '../../topology/job-stages.ts'
import { learnerEpochs } from '../../topology/learner.ts'
import { WHOLE_JOB } from '../../topology/learner-role.ts'
import { openLearner } from '../../topology/open-learner.ts'
import type { Bench, BenchContext, Measured } from '../bench.ts'
import { takeTurns } from '../harness.ts'
import { appendWorld, simulatedJob, wallClock } from '../simulated.ts'

const IMPRESSIONS = 60_000
const ROUNDS = 3

export const wholePathBench: Bench = {
  name: 'whole-path',
  summary:
    'The simulated job from the embedded log to published weights, beside the training step alone on the same batches.',
  peers: [],
  run: measure,
}

async function measure({ folder, rounds = ROUNDS, say }: BenchContext): Promise<Measured> {
  const { engine, name } = await openEngine('auto')
  const bus = { kind: 'file', path: join(folder, 'bus'), partitions: 2 }
  const log = await openBus(simulatedJob({ bus }).bus)
  const records = await appendWorld(simulatedJob({ bus }), log, { impressions: IMPRESSIONS })
  const data = await simulatedData(IMPRESSIONS, { clock: wallClock, samples: undefined })
  await log.close()
  say(`${records} records, ${data.samples} samples`)
  let life = 0
  const values = await takeTurns(
    [
      { name: 'whole', round: () => wholePath(folder, `state-${++life}`, engine, data.samples) },
      { name: 'steps', round: () => stepsAlone(data, engine) },
    ],
    { rounds },
  )
  return {
    figures: [
      {
        label: 'embedded log to published weights',
        unit: 'samples/s',
        rounds: values.get('whole') ?? [],
        against: { name: 'training steps alone', rounds: values.get('steps') ?? [] },
        better: 'higher',
        target: 0.8,
      },
    ],
    versions: { engine: name },
    facts: { records, samples: data.samples, batch: 256 },
  }
}

/** Samples per second of one life, from opening to the last checkpoint; each life has topics and a state of its own. */
async function wholePath(
  folder: string,
  life: string,
  engine: Engine,
  samples: number,
): Promise<number> {
  const job = simulatedJob({
    name: life,
    bus: { kind: 'file', path: join(folder, 'bus'), partitions: 2 },
    publish: { topic: `model-${life}`, every_samples: 10_000, full_every: 20 },
    observe: { http: { enabled: false }, log: 'silent' },
  })
  const stateful = { ...job, train: { ...job.train, state: join(folder, life) } }
  const log = await openBus(job.bus)
  const started = performance.now()
  const report = (): void => undefined
  const parts = { job: stateful, log, engine, clock: wallClock, role: WHOLE_JOB, report }
  const learner = await openLearner(parts)
  await learner.source.endHere()
  await lastValueFrom(learnerEpochs(learner.run))
  const seconds = (performance.now() - started) / 1000
  const learned = learner.run.context.stages.learner.samples
  await learner.close()
  await log.close()
  if (learned !== samples) {
    throw new MillraceError('BAD_STATE', `learned ${learned} of ${samples} samples`)
  }
  return samples / seconds
}

/** The steps alone, on batches that were joined and encoded before. */
function stepsAlone({ job, encoder, batches, samples }: ComparedData, engine: Engine): number {
  const tasks = job.join.tasks.map((task) => task.name)
  const { learner } = buildLearner(job, tasks, encoder, engine)
  const started = performance.now()
  for (const { features, labels } of batches) learner.learn(features, labels)
  return samples / ((performance.now() - started) / 1000)
}
