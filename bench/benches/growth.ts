/** @file How cost grows: a training step over batch size, tasks and experts; the join over partitions and open impressions. */

import { join } from 'node:path'
import type { Engine } from '../../src/tensors/engine.ts'
import { openEngine } from '../../src/tensors/engine-choice.ts'
import { World } from '../../src/world/world.ts'
import { worldOptions } from '../../src/world/world-options.ts'
import { openBus } from '../../topology/bus.ts'
import { prepare } from '../../topology/compare-data.ts'
import { buildLearner } from '../../topology/job-stages.ts'
import type { Bench, BenchContext, Figure, Line, Measured } from '../bench.ts'
import { median } from '../harness.ts'
import { appendWorld, joinAll, simulatedJob, wallClock } from '../simulated.ts'

const BATCHES = [32, 64, 128, 256, 512, 1024]
const TASKS = [1, 2, 4, 8]
const EXPERTS = [1, 2, 4, 8, 16]
const PARTITIONS = [1, 2, 4, 8, 16]
/** Impressions per second of event time; each is open for 300 seconds of it. */
const PACES = [10, 100, 1_000]
const WINDOW_S = 300
const BATCH = 256
const SAMPLES = 8_192
const IMPRESSIONS = 100_000
const ROUNDS = 3

const MODEL = { kind: 'mmoe', dim: 8, expert_hidden: [64, 32], tower_hidden: [16], wide: true }

export const growthBench: Bench = {
  name: 'growth',
  summary:
    'How cost grows: the training step of the simulated job over batch size, tasks and experts; the join over partitions and open impressions.',
  peers: [],
  run: measure,
}

type Point = readonly [number, number]

async function measure({ folder, rounds = ROUNDS, say }: BenchContext): Promise<Measured> {
  const { engine, name } = await openEngine('auto')
  const stepsOver = async (
    what: string,
    values: readonly number[],
    settings: (value: number) => StepSettings,
  ): Promise<Point[]> => {
    const points: Point[] = []
    for (const value of values) {
      const rate = await stepRate(engine, rounds, settings(value))
      say(`${what} ${value}: ${Math.round(rate)} samples/s`)
      points.push([value, rate])
    }
    return points
  }
  const usual = { batch: BATCH, tasks: 3, experts: 4 }
  const batch = await stepsOver('batch', BATCHES, (value) => ({ ...usual, batch: value }))
  const tasks = await stepsOver('tasks', TASKS, (value) => ({ ...usual, tasks: value }))
  const experts = await stepsOver('experts', EXPERTS, (value) => ({ ...usual, experts: value }))
  const partitions: Point[] = []
  for (const value of PARTITIONS) {
    partitions.push([value, await joinRate(join(folder, `p${value}`), value, 100, rounds)])
    say(`partitions ${value}: ${Math.round(partitions.at(-1)?.[1] ?? 0)} events/s`)
  }
  const open: Point[] = []
  for (const pace of PACES) {
    open.push([pace * WINDOW_S, await joinRate(join(folder, `o${pace}`), 2, pace, rounds)])
    say(`open impressions ${pace * WINDOW_S}: ${Math.round(open.at(-1)?.[1] ?? 0)} events/s`)
  }
  return {
    figures: [
      share('batch 1,024 beside batch 64', batch, 1024, 64, 'samples/s'),
      share('8 tasks beside 1', tasks, 8, 1, 'samples/s'),
      share('16 experts beside 1', experts, 16, 1, 'samples/s'),
      share('join with 16 partitions beside 1', partitions, 16, 1, 'events/s'),
      share('join with 300,000 impressions open beside 3,000', open, 300_000, 3_000, 'events/s'),
    ],
    curves: [
      curve('Training step over batch size', 'batch', 'samples/s', batch),
      curve('Training step over tasks', 'tasks', 'samples/s', tasks),
      curve('Training step over experts', 'experts', 'samples/s', experts),
      curve('Join over partitions', 'partitions of each topic', 'events/s', partitions),
      curve('Join over open impressions', 'open impressions', 'events/s', open),
    ],
    versions: { engine: name },
    facts: { batch: BATCH, samples: SAMPLES, impressions: IMPRESSIONS },
  }
}

function curve(title: string, x: string, y: string, points: readonly Point[]) {
  const lines: readonly Line[] = [{ name: '', points }]
  return { title, x, y, log: 'x' as const, lines }
}

function share(
  label: string,
  points: readonly Point[],
  at: number,
  beside: number,
  unit: string,
): Figure {
  const of = (x: number): number[] => points.filter(([one]) => one === x).map(([, y]) => y)
  return {
    label,
    unit,
    rounds: of(at),
    against: { name: `at ${beside.toLocaleString('en-US')}`, rounds: of(beside) },
    better: 'higher',
  }
}

interface StepSettings {
  readonly batch: number
  readonly tasks: number
  readonly experts: number
}

/** Samples per second of training steps alone: median over `rounds` passes over the same encoded batches. */
async function stepRate(
  engine: Engine,
  rounds: number,
  { batch, tasks, experts }: StepSettings,
): Promise<number> {
  const kinds = ['click', 'like', 'share'] as const
  const job = simulatedJob({
    bus: { kind: 'memory', partitions: 2 },
    batch: { count: batch },
    model: { ...MODEL, experts },
    // More tasks than kinds of feedback: the same kind in other windows.
    join: {
      tasks: Array.from({ length: Math.max(tasks, kinds.length) }, (_, task) => ({
        name: `task_${task}`,
        kind: kinds[task % kinds.length],
        window_ms: 30_000 * (1 + Math.floor(task / kinds.length)),
      })),
    },
  })
  const world = new World(worldOptions.parse({ impressions: Math.ceil(SAMPLES * 1.2) }))
  const data = await prepare(job, 'the simulated app', (count) => world.pull(count), {
    clock: wallClock,
    samples: SAMPLES,
  })
  const names = job.join.tasks.map((task) => task.name).slice(0, tasks)
  const { learner } = buildLearner(job, names, data.encoder, engine)
  const rates: number[] = []
  for (let round = -1; round < rounds; round++) {
    const started = performance.now()
    for (const { features, labels } of data.batches) {
      // Task-major: the first tasks are the first entries.
      const wanted = tasks * features.rows
      const { weights } = labels
      learner.learn(features, {
        labels: labels.labels.subarray(0, wanted),
        mask: labels.mask.subarray(0, wanted),
        weights,
      })
    }
    if (round >= 0) rates.push(data.samples / ((performance.now() - started) / 1000))
  }
  return median(rates)
}

/** Events per second of the join from the embedded log. */
async function joinRate(
  path: string,
  partitions: number,
  pace: number,
  rounds: number,
): Promise<number> {
  const job = simulatedJob({ bus: { kind: 'file', path, partitions } })
  const log = await openBus(job.bus)
  await appendWorld(job, log, { impressions: IMPRESSIONS, impressions_per_second: pace })
  const rates: number[] = []
  for (let round = -1; round < rounds; round++) {
    const { records, seconds } = await joinAll(job, log)
    if (round >= 0) rates.push(records / seconds)
  }
  await log.close()
  return median(rates)
}
