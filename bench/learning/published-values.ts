/**
 * @file What does it cost a scorer when rows are published as float16 or int8? A follower scores each sample just before it is learned
 * from, with the newest version. What is learned is the same in every run, so that only the types differ.
 */

import { deflateSync } from 'node:zlib'
import { auc } from '../../src/observe/auc.ts'
import { decodeUpdate } from '../../src/publish/update.ts'
import { VALUE_TYPES, type ValueType } from '../../src/publish/value-type.ts'
import type { MiniBatch } from '../../src/samples/mini-batcher.ts'
import { ServedModel } from '../../src/serve/served-model.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { WORLD_TASKS } from '../../src/world/tasks.ts'
import type { JobStages } from '../../topology/job-stages.ts'
import { learnLog } from '../../topology/learn-log.ts'
import type { Experiment, Laboratory } from './experiment.ts'
import { stillClock, worldJob, worldLog } from './world-run.ts'

const PUBLISH = 'every_samples: 5000, full_every: 4'
/** Only what comes later is judged. */
const SKIPPED = 1 / 3

export const publishedValues: Experiment = {
  name: 'published-values',
  question: 'What does it cost when rows are published as float16 or int8?',
  page: 'docs/model-topic.md',
  columns: [
    { name: 'values' },
    { name: 'task' },
    { name: 'AUC', digits: 5 },
    { name: 'loss of AUC', digits: 5 },
    { name: 'full version, kB' },
    { name: 'the same deflated, kB' },
  ],
  run: async (laboratory) => {
    const { log } = await worldLog(worldJob(), { impressions: laboratory.impressions })
    const followers: TypeFollower[] = []
    for (const type of VALUE_TYPES) followers.push(await follow(type, log, laboratory))
    return followers.flatMap((follower) =>
      WORLD_TASKS.map((task, t) => ({
        values: follower.type,
        task,
        AUC: follower.auc(t),
        'loss of AUC': (followers[0]?.auc(t) ?? Number.NaN) - (follower.auc(t) ?? Number.NaN),
        ...follower.sizes,
      })),
    )
  },
}

async function follow(
  type: ValueType,
  log: Awaited<ReturnType<typeof worldLog>>['log'],
  { engine }: Laboratory,
): Promise<TypeFollower> {
  const follower = new TypeFollower(type)
  const job = worldJob({ publish: `{ values: ${type}, ${PUBLISH} }` })
  const before = (batch: MiniBatch, stages: JobStages): void => follower.take(batch, stages)
  await learnLog({ job, log, engine, clock: stillClock, before })
  return follower
}

/** A scorer that loads each version when it falls due. */
class TypeFollower {
  readonly type: ValueType
  readonly #engine = plainEngine()
  readonly #scores: number[][] = WORLD_TASKS.map(() => [])
  readonly #labels: number[][] = WORLD_TASKS.map(() => [])
  #model: ServedModel | undefined
  #full: Uint8Array = new Uint8Array(0)

  constructor(type: ValueType) {
    this.type = type
  }

  /** Of the newest full version. */
  get sizes(): Record<'full version, kB' | 'the same deflated, kB', number> {
    const kilobytes = (bytes: Uint8Array): number => Math.round(bytes.length / 1000)
    return {
      'full version, kB': kilobytes(this.#full),
      'the same deflated, kB': kilobytes(deflateSync(this.#full)),
    }
  }

  auc(task: number): number | undefined {
    const [scores = [], labels = []] = [this.#scores[task], this.#labels[task]]
    const from = Math.floor(scores.length * SKIPPED)
    return auc(Float32Array.from(scores.slice(from)), Float32Array.from(labels.slice(from)))
  }

  take(batch: MiniBatch, { publisher, encoder }: JobStages): void {
    if (publisher.due) {
      const standardisation = encoder.statistics()
      const { content, kind } = publisher.commit(publisher.draft({ metrics: {}, standardisation }))
      const update = decodeUpdate(content)
      if (kind === 'full') {
        this.#full = content.slice()
        this.#model = ServedModel.of(this.#engine, update)
      } else this.#model?.apply(update)
    }
    const final = batch.filter(({ role }) => role === 'final')
    if (this.#model === undefined || final.length === 0) return
    const scores = this.#model.score(encoder.encode(final))
    for (const [row, { labels }] of final.entries()) {
      for (const task of WORLD_TASKS.keys()) {
        this.#scores[task]?.push(scores[task * final.length + row] ?? Number.NaN)
        this.#labels[task]?.push(labels[task] ?? Number.NaN)
      }
    }
  }
}
