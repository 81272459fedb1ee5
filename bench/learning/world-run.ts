/** @file One simulated world, one job, one pass: what was predicted for every impression, and what the truth was. */

import { MemoryLog } from '../../src/broker/memory-log.ts'
import type { TopicLog } from '../../src/broker/topic-log.ts'
import type { Delivery } from '../../src/delivery.ts'
import type { DriftAlarm } from '../../src/health.ts'
import { auc } from '../../src/observe/auc.ts'
import type { Sample } from '../../src/samples/sample.ts'
import { type Job, parseJob } from '../../src/settings/job.ts'
import type { Engine } from '../../src/tensors/engine.ts'
import { WORLD_TASKS, type WorldTask } from '../../src/world/tasks.ts'
import { Truth } from '../../src/world/truth.ts'
import { World } from '../../src/world/world.ts'
import { type WorldInput, type WorldOptions, worldOptions } from '../../src/world/world-options.ts'
import type { JobStages } from '../../topology/job-stages.ts'
import { learnLog } from '../../topology/learn-log.ts'
import { packageFile } from '../../topology/package-files.ts'
import { produce } from '../../topology/produce.ts'

/** Nothing in a run depends on it. */
export const stillClock = { now: () => 0 }

/** Sections of a job as YAML that replace those of `worldJob`. */
export type Sections = Readonly<Record<string, string>>

const SECTIONS: Sections = {
  bus: '{ kind: file, path: unused, partitions: 2 }',
  events: `
  lateness_ms: 5000
  kinds:
    - { kind: impression, topic: impressions, schema: ${schema('impression')}, time: event_time, anchor: true }
    - { kind: click, topic: clicks, schema: ${schema('click')}, time: event_time }
    - { kind: like, topic: likes, schema: ${schema('like')}, time: event_time }
    - { kind: share, topic: shares, schema: ${schema('share')}, time: event_time }`,
  join: `
  tasks: &tasks
    - { name: click, window_ms: 30000 }
    - { name: like, window_ms: 120000 }
    - { name: share, window_ms: 300000 }`,
  features: `
  - { name: user, kind: id, from: user_id }
  - { name: category, kind: id }
  - { name: author, kind: id, from: author_id }
  - { name: age_band, kind: id }
  - { name: country, kind: id }
  - { name: device, kind: id }
  - { name: position, kind: id }
  - { name: tags, kind: ids }
  - { name: hour, kind: hour }
  - { name: item_age, kind: bucket, from: item_age_hours, log2: 2 }
  - { name: age_category, kind: cross, of: [age_band, category] }
  - { name: country_category, kind: cross, of: [country, category] }`,
  batch: '{ count: 256 }',
  model: '{ kind: shared-bottom, dim: 4, bottom_hidden: [16], tower_hidden: [8], wide: true }',
  train: `
  dense: { learning_rate: 0.002 }
  sparse: { kind: adagrad, learning_rate: 0.05, initial_accumulator: 0.0001 }
  wide: { kind: adagrad, learning_rate: 0.05, initial_accumulator: 0.0001 }`,
  observe: '{ delayed_share: 1 }',
}

function schema(kind: string): string {
  return packageFile(`schemas/${kind}.avsc`)
}

/** A small job over the simulated app: a network of one layer with a linear part, so that a run takes seconds. */
export function worldJob(changes: Sections = {}): Job {
  const sections = Object.entries({ ...SECTIONS, ...changes })
  const text = sections.map(([name, content]) => `${name}: ${content}`).join('\n')
  return parseJob('learning.yaml', `name: learning\n${text}\n`)
}

/** The `join` section with other settings around the usual tasks. */
export function joinWith(
  settings: string,
  windowsMs: readonly number[] = [30_000, 120_000, 300_000],
): string {
  const tasks = WORLD_TASKS.map((name, t) => `{ name: ${name}, window_ms: ${windowsMs[t]} }`)
  return `{ tasks: [${tasks.join(', ')}]${settings === '' ? '' : `, ${settings}`} }`
}

/** A world's deliveries on a log of its own; `change` may drop or alter them. */
export async function worldLog(
  job: Job,
  input: WorldInput,
  change: (delivery: Delivery) => Delivery | undefined = (delivery) => delivery,
): Promise<{ log: TopicLog; options: WorldOptions }> {
  const options = worldOptions.parse(input)
  const world = new World(options)
  const log = new MemoryLog()
  const pull = (count: number): Delivery[] => {
    for (;;) {
      const pulled = world.pull(count)
      const kept = pulled.flatMap((delivery) => change(delivery) ?? [])
      if (kept.length > 0 || pulled.length === 0) return kept
    }
  }
  await produce({ job, log, pull, clock: stillClock })
  return { log, options }
}

/** Predictions and truths of one task, in the order in which labels were known. */
export interface Judged {
  readonly task: WorldTask
  /** Join keys, which are the ids of the impressions. */
  readonly keys: readonly string[]
  readonly times: readonly number[]
  readonly predicted: Float32Array
  readonly labels: Float32Array
  readonly truths: Float64Array
}

export interface WorldRun {
  readonly stages: JobStages
  /** Without what a bot did: there is no truth about that. */
  readonly judged: readonly Judged[]
  /** Drift alarms in the order in which they were raised. */
  readonly alarms: readonly DriftAlarm[]
}

/** Learns once; `by`: the predictions made as impressions opened, or those made before each step. */
export async function learnWorld(
  parts: {
    readonly job: Job
    readonly log: TopicLog
    readonly options: WorldOptions
    readonly engine: Engine
  },
  by: 'opening' | 'step' = 'opening',
): Promise<WorldRun> {
  const { job, log, options, engine } = parts
  const rows: Sample[] = []
  const alarms: DriftAlarm[] = []
  const stages = await learnLog({
    job,
    log,
    engine,
    clock: stillClock,
    report: (report) => {
      if (report.kind === 'drift') alarms.push(...report.raised)
    },
    before: (batch) => {
      for (const sample of batch) {
        const counts = by === 'opening' ? sample.mask.includes(1) : sample.role === 'final'
        if (counts) rows.push(sample)
      }
    },
  })
  const truth = new Truth(options)
  const predictions =
    by === 'opening' && !stages.fast ? stages.delayedPredictions : stages.predictions
  const judged = WORLD_TASKS.flatMap((task): Judged[] => {
    const index = stages.tasks.indexOf(task)
    if (index < 0) return []
    const known = rows.filter(
      ({ mask, learned }) => (by === 'opening' ? mask : learned)[index] === 1,
    )
    const { probabilities, labels } = predictions.labelled(index, 0)
    if (probabilities.length !== known.length) {
      throw new RangeError(`${probabilities.length} predictions for ${known.length} labels`)
    }
    const keys = known.map(({ key }) => key)
    const times = known.map(({ time }) => time)
    const truths = Float64Array.from(keys, (key) => truth.probabilities(key)?.[task] ?? Number.NaN)
    const all = { task, keys, times, predicted: probabilities, labels, truths }
    return [between(all, (_, row) => !Number.isNaN(truths[row]))]
  })
  return { stages, judged, alarms }
}

/** What was judged of this task. */
export function judgedOf({ judged }: Pick<WorldRun, 'judged'>, task: WorldTask): Judged {
  const found = judged.find((one) => one.task === task)
  if (found === undefined) throw new RangeError(`the job has no task ${task}`)
  return found
}

/** Rows after the first share of them. */
export function laterThan(judged: Judged, share: number): Judged {
  return between(judged, (_, row) => row >= judged.keys.length * share)
}

/** Rows of impressions for which this holds. */
export function between(judged: Judged, holds: (time: number, row: number) => boolean): Judged {
  const rows = [...judged.times.keys()].filter((row) => holds(judged.times[row] ?? 0, row))
  return {
    task: judged.task,
    keys: rows.map((row) => judged.keys[row] ?? ''),
    times: rows.map((row) => judged.times[row] ?? 0),
    predicted: Float32Array.from(rows, (row) => judged.predicted[row] ?? 0),
    labels: Float32Array.from(rows, (row) => judged.labels[row] ?? 0),
    truths: Float64Array.from(rows, (row) => judged.truths[row] ?? 0),
  }
}

export function sum(values: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i] ?? 0
  return total
}

/** Sum of predictions over sum of true probabilities: free of the noise of labels. */
export function calibrationToTruth({ predicted, truths }: Judged): number {
  return sum(predicted) / sum(truths)
}

/** Sum of predictions over number of labels. */
export function calibrationToLabels({ predicted, labels }: Judged): number {
  return sum(predicted) / sum(labels)
}

/** Mean Kullback-Leibler divergence of the true probability from the predicted one, nats: log loss above the best possible. */
export function excessLoss({ predicted, truths }: Judged): number {
  let total = 0
  for (let i = 0; i < truths.length; i++) {
    const p = truths[i] ?? 0
    const q = Math.min(1 - 1e-7, Math.max(1e-7, predicted[i] ?? 0))
    total += p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q))
  }
  return total / truths.length
}

/** AUC of the predictions over the labels. */
export function aucOf({ predicted, labels }: Judged): number | undefined {
  return auc(predicted, labels)
}
