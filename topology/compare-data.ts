/** @file The data of a comparison: events joined and encoded once, kept in memory as the batches that every learner will see. */

import { MemoryLog } from '../src/broker/memory-log.ts'
import { type KuairandFiles, readKuairand } from '../src/datasets/kuairand.ts'
import { FeatureState } from '../src/feature-state/feature-state.ts'
import { batchLabels } from '../src/features/batch-labels.ts'
import { FeatureEncoder } from '../src/features/encode.ts'
import type { BatchLabels, EncodedFeatures } from '../src/features/encoded-batch.ts'
import { compileFeatures } from '../src/features/feature-spec.ts'
import { type MiniBatch, MiniBatcher } from '../src/samples/mini-batcher.ts'
import { type Job, loadJob } from '../src/settings/job.ts'
import type { Clock } from '../src/time.ts'
import { World } from '../src/world/world.ts'
import { worldOptions } from '../src/world/world-options.ts'
import { joinWhole } from './join-whole.ts'
import { packageFile } from './package-files.ts'
import { type PullDeliveries, produce, pullFrom } from './produce.ts'

/** A mini-batch as the learner takes it, and the samples it was made of. */
export interface ComparedBatch {
  readonly samples: MiniBatch
  readonly features: EncodedFeatures
  readonly labels: BatchLabels
}

/** One data set, ready to be learned from any number of times. */
export interface ComparedData {
  readonly job: Job
  /** Where the events came from, for the leaderboard. */
  readonly source: string
  readonly encoder: FeatureEncoder
  readonly batches: readonly ComparedBatch[]
  readonly samples: number
}

/** What to make of the events; `samples` cuts the stream short. */
export interface PrepareOptions {
  readonly clock: Clock
  readonly samples: number | undefined
  /** Called with the samples joined so far. */
  readonly onProgress?: (samples: number) => void
}

/** The simulated app of `examples/simulated`. */
export async function simulatedData(
  impressions: number,
  options: PrepareOptions,
): Promise<ComparedData> {
  const job = await loadJob(packageFile('examples/simulated/job.yaml'))
  const world = new World(worldOptions.parse({ impressions }))
  const source = `the simulated app, ${impressions} impressions, seed 1`
  return prepare(job, source, (count) => world.pull(count), options)
}

/** KuaiRand-Pure as `examples/kuairand` reads it. */
export async function kuairandData(
  files: KuairandFiles,
  options: PrepareOptions,
): Promise<ComparedData> {
  const job = await loadJob(packageFile('examples/kuairand/job.yaml'))
  const stream = await readKuairand(files)
  const source = `KuaiRand-Pure, ${stream.rows} impressions`
  return prepare(job, source, pullFrom(stream.deliveries), options)
}

/** The path of the data up to the learner, over a log in memory. */
export async function prepare(
  job: Job,
  source: string,
  pull: PullDeliveries,
  {
    clock,
    samples: limit = Number.POSITIVE_INFINITY,
    onProgress = () => undefined,
  }: PrepareOptions,
): Promise<ComparedData> {
  const log = new MemoryLog()
  await produce({ job, log, pull, clock })
  const { outputs } = await joinWhole(job, log, clock)
  const batcher = new MiniBatcher(job.batch)
  const names = job.join.tasks.map((task) => task.name)
  const spec = compileFeatures(job.features)
  const encoder = new FeatureEncoder(spec, new FeatureState(spec, names))
  const tasks = names.length
  const batches: ComparedBatch[] = []
  let samples = 0
  const take = (full: readonly MiniBatch[]): void => {
    for (const batch of full) {
      if (samples >= limit) return
      batches.push({
        samples: batch,
        features: encoder.encodeSamples(batch),
        labels: batchLabels(batch, tasks),
      })
      encoder.learn(batch)
      encoder.settle(batch)
      samples += batch.length
    }
  }
  for await (const part of outputs) {
    take(batcher.push(part.samples))
    onProgress(samples)
    if (samples >= limit) break
  }
  take(batcher.flush())
  return { job, source, encoder, batches, samples }
}
