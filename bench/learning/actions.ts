/**
 * @file What is lost where nothing says what was shown? Jobs of clicks, likes and shares alone against jobs that have the
 * impressions; both score every impression of the world as it opens (samples/drawn-negatives.ts).
 */

import { MemoryLog } from '../../src/broker/memory-log.ts'
import type { Delivery } from '../../src/delivery.ts'
import { auc } from '../../src/observe/auc.ts'
import { calibrationRatio } from '../../src/observe/calibration.ts'
import type { Job } from '../../src/settings/job.ts'
import { WORLD_TASKS, type WorldTask } from '../../src/world/tasks.ts'
import { Truth } from '../../src/world/truth.ts'
import { World } from '../../src/world/world.ts'
import { type WorldOptions, worldOptions } from '../../src/world/world-options.ts'
import type { JobStages } from '../../topology/job-stages.ts'
import { learnLog } from '../../topology/learn-log.ts'
import { packageFile } from '../../topology/package-files.ts'
import { produce, pullFrom } from '../../topology/produce.ts'
import type { Experiment, Laboratory, Row } from './experiment.ts'
import { type Sections, stillClock, worldJob } from './world-run.ts'

/** Only the last two thirds are judged. */
const SKIPPED = 1 / 3

/** What an app may say of an item and of its user with every action. */
const FIELDS = `
  - { name: category, kind: id }
  - { name: author, kind: id, from: author_id }
  - { name: age_band, kind: id }
  - { name: country, kind: id }
  - { name: tags, kind: ids }
  - { name: item_age, kind: bucket, from: item_age_hours, log2: 2 }
  - { name: age_category, kind: cross, of: [age_band, category] }
  - { name: country_category, kind: cross, of: [country, category] }`
const IDS = `
  - { name: user, kind: id, from: user_id }
  - { name: item, kind: id, from: item_id }`
const ITEM_FIELDS = '[category, author_id, tags, item_age_hours]'

/** Actions say what their impression said, so one schema does for all. */
const schema = packageFile('schemas/impression.avsc')
const ACTIONS: Sections = {
  events: `{ lateness_ms: 5000, kinds: [${WORLD_TASKS.map(
    (task) =>
      `{ kind: ${task}, topic: ${task}s, schema: ${schema}, time: event_time, key: [user_id, item_id] }`,
  ).join(', ')}] }`,
  negatives: `{ drawn: { item_fields: ${ITEM_FIELDS} } }`,
}

/** A job over one world. */
interface Case {
  readonly name: string
  readonly sections: Sections
}

const CASES: readonly Case[] = [
  { name: 'impressions, ids and fields', sections: { features: IDS + FIELDS } },
  { name: 'impressions, ids alone', sections: { features: IDS } },
  { name: 'actions, ids and fields', sections: { ...ACTIONS, features: IDS + FIELDS } },
  { name: 'actions, ids alone', sections: { ...ACTIONS, features: IDS } },
]

/** One impression and what came of it. */
interface Shown {
  readonly fields: Readonly<Record<string, unknown>>
  readonly time: number
  readonly acted: Set<WorldTask>
}

export const actions: Experiment = {
  name: 'actions',
  question: 'What is lost where nothing says what was shown?',
  columns: [
    { name: 'learns from' },
    { name: 'task' },
    { name: 'AUC over impressions', digits: 4 },
    { name: 'calibration of its own stream', digits: 3 },
  ],
  run: (laboratory) => compared(laboratory, CASES),
}

/** The rows of the jobs whose name starts with this: what tests look at. */
export function comparedFrom(laboratory: Laboratory, start: string): Promise<readonly Row[]> {
  return compared(
    laboratory,
    CASES.filter(({ name }) => name.startsWith(start)),
  )
}

async function compared(
  { engine, impressions }: Laboratory,
  cases: readonly Case[],
): Promise<readonly Row[]> {
  const options = worldOptions.parse({ impressions })
  const { deliveries, shown } = worldOf(options)
  const rows = [...bestRows(options, shown)]
  for (const { name, sections } of cases) {
    const job = worldJob({ batch: '{ count: 64 }', ...sections, observe: '{ delayed_share: 0 }' })
    const { scores, stages } = await scoredWhileLearning(job, deliveries, shown, engine)
    for (const [t, task] of WORLD_TASKS.entries()) {
      const { predictions } = stages
      const late = predictions.labelled(t, Math.floor(predictions.rows * SKIPPED))
      rows.push({
        'learns from': name,
        task,
        'AUC over impressions': aucOver(shown, task, (at) => scores[at]?.[t] ?? Number.NaN),
        'calibration of its own stream': calibrationRatio(late.probabilities, late.labels),
      })
    }
  }
  return rows
}

/** Everything that is delivered, actions with the fields of their impression, and the impressions in the order of their time. */
function worldOf(options: WorldOptions): { deliveries: Delivery[]; shown: Shown[] } {
  const world = new World(options)
  const byId = new Map<string, Shown>()
  const deliveries: Delivery[] = []
  for (let pulled = world.pull(1000); pulled.length > 0; pulled = world.pull(1000)) {
    for (const delivery of pulled) {
      const { kind, value } = delivery
      const id = String(value.impression_id)
      if (kind === 'impression') {
        if (!byId.has(id))
          byId.set(id, { fields: value, time: Number(value.event_time), acted: new Set() })
        deliveries.push(delivery)
        continue
      }
      const on = byId.get(id)
      if (on === undefined) continue
      const task = WORLD_TASKS.find((name) => name === kind)
      if (task !== undefined) on.acted.add(task)
      deliveries.push({ ...delivery, value: { ...on.fields, ...value } })
    }
  }
  return { deliveries, shown: [...byId.values()].sort((a, b) => a.time - b.time) }
}

/** Learns once; every impression is scored by the model as it stood when it was shown. */
async function scoredWhileLearning(
  job: Job,
  deliveries: readonly Delivery[],
  shown: readonly Shown[],
  engine: Laboratory['engine'],
): Promise<{ scores: number[][]; stages: JobStages }> {
  const log = new MemoryLog()
  await produce({ job, log, pull: pullFrom(deliveries), clock: stillClock })
  const scores: number[][] = []
  const scoreUpTo = (time: number, { encoder, learner, tasks }: JobStages): void => {
    let end = scores.length
    while (end < shown.length && shown[end]!.time < time) end++
    const rows = shown.slice(scores.length, end)
    if (rows.length === 0) return
    const found = learner.score(encoder.encode(rows))
    for (const row of rows.keys()) scores.push(tasks.map((_, t) => found[t * rows.length + row]!))
  }
  const before = (batch: readonly { readonly maturedAt: number }[], stages: JobStages): void =>
    scoreUpTo(batch[0]?.maturedAt ?? 0, stages)
  const stages = await learnLog({ job, log, engine, clock: stillClock, before })
  scoreUpTo(Number.POSITIVE_INFINITY, stages)
  return { scores, stages }
}

function aucOver(
  shown: readonly Shown[],
  task: WorldTask,
  scoreOf: (at: number) => number,
): number | undefined {
  const late = [...shown.keys()].slice(Math.floor(shown.length * SKIPPED))
  const labels = Float32Array.from(late, (at) => (shown[at]!.acted.has(task) ? 1 : 0))
  return auc(Float64Array.from(late, scoreOf), labels)
}

function* bestRows(options: WorldOptions, shown: readonly Shown[]): Generator<Row> {
  const truth = new Truth(options)
  const best = shown.map(({ fields }) => truth.probabilities(String(fields.impression_id)))
  for (const task of WORLD_TASKS) {
    const reached = aucOver(shown, task, (at) => best[at]?.[task] ?? Number.NaN)
    yield {
      'learns from': 'nothing: the true probabilities',
      task,
      'AUC over impressions': reached,
    }
  }
}
