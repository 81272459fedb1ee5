/** @file One configuration of a comparison from its first batch to its last: predict, then learn, then judge (law 1). */

import { tidy } from '../src/embeddings/tidy.ts'
import { MillraceError, messageOf } from '../src/errors.ts'
import type { BatchLabels } from '../src/features/encoded-batch.ts'
import { countValues } from '../src/model/parameters.ts'
import { aucInterval, type Interval } from '../src/observe/auc-interval.ts'
import { FirstPredictions } from '../src/observe/first-predictions.ts'
import { PredictionLog, type PredictionReport } from '../src/observe/prediction-log.ts'
import type { Engine } from '../src/tensors/engine.ts'
import type { Learner } from '../src/train/learner.ts'
import type { ComparedData } from './compare-data.ts'
import type { Configuration } from './compare-list.ts'
import { buildLearner } from './job-stages.ts'

/** Quality of one task after the skipped share of the samples. */
export interface TaskScore extends PredictionReport {
  readonly interval: Interval | undefined
}

/** What came of one configuration. */
export type Outcome =
  | {
      readonly kind: 'learned'
      readonly configuration: Configuration
      readonly tasks: readonly TaskScore[]
      /** Samples per second of processor time: the same whatever else the machine does. */
      readonly samplesPerSecond: number
      /** Rows with their keys and optimizer state, dense weights with their moments. */
      readonly stateBytes: number
      /** Largest resident set of the process while it ran, the samples and the engine included. */
      readonly peakBytes: number
    }
  | { readonly kind: 'failed'; readonly configuration: Configuration; readonly reason: string }

export interface TrainOptions {
  readonly engine: Engine
  /** Called with the samples learned from so far. */
  readonly onProgress: (samples: number) => void
}

const REPORT_EVERY_BATCHES = 50
const INTERVAL_SEED = 1

/** Trains from scratch. A configuration that does not fit the data or becomes sick is an outcome too. */
export function trainOnce(
  data: ComparedData,
  configuration: Configuration,
  options: TrainOptions,
): Outcome {
  try {
    return learnAll(data, configuration, options)
  } catch (thrown) {
    if (!(thrown instanceof MillraceError)) throw thrown
    return { kind: 'failed', configuration, reason: messageOf(thrown) }
  }
}

function learnAll(
  data: ComparedData,
  configuration: Configuration,
  { engine, onProgress }: TrainOptions,
): Outcome {
  const { job } = configuration
  const tasks = job.join.tasks.slice(0, configuration.tasks).map((task) => task.name)
  const { learner, table } = buildLearner(job, tasks, data.encoder, engine)
  const first = new FirstPredictions(tasks.length)
  const log = new PredictionLog({ tasks, capacity: data.samples })
  let peakBytes = process.memoryUsage.rss()
  let seconds = 0
  for (const [i, { samples, features, labels: all }] of data.batches.entries()) {
    const labels = labelsOf(all, tasks.length, features.rows)
    const started = process.cpuUsage()
    table.life?.advance(samples.at(-1)?.maturedAt ?? 0)
    const { probabilities } = learner.learn(features, labels)
    tidy(table)
    const { user, system } = process.cpuUsage(started)
    seconds += (user + system) / 1e6
    const judged = first.judge(samples, probabilities)
    log.append({ rows: features.rows, probabilities: judged, ...labels })
    if (i % REPORT_EVERY_BATCHES !== 0) continue
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss())
    onProgress(learner.samples)
  }
  return {
    kind: 'learned',
    configuration,
    tasks: scoresOf(log, job.train.report_skip),
    samplesPerSecond: learner.samples / Math.max(0.001, seconds),
    stateBytes: stateBytesOf(learner),
    peakBytes: Math.max(peakBytes, process.memoryUsage.rss()),
  }
}

/** The first tasks of task-major labels. */
function labelsOf(labels: BatchLabels, tasks: number, rows: number): BatchLabels {
  const length = tasks * rows
  return {
    labels: labels.labels.subarray(0, length),
    mask: labels.mask.subarray(0, length),
    weights: labels.weights,
  }
}

function scoresOf(log: PredictionLog, skip: number): TaskScore[] {
  const from = Math.floor(log.rows * skip)
  return log.report(skip).map((report, task) => {
    const { probabilities, labels } = log.labelled(task, from)
    return { ...report, interval: aucInterval(probabilities, labels, { seed: INTERVAL_SEED }) }
  })
}

function stateBytesOf({ parts }: Learner): number {
  const dense = countValues(parts.model.parameters) * Float32Array.BYTES_PER_ELEMENT
  return parts.table.bytes.totalBytes + 3 * dense
}
