/** @file The result of a run as JSON: what `--report FILE` writes and what the final table shows. */

import { type InputAccounting, total } from './accounting.ts'
import { aucBounds } from './auc-deviation.ts'
import type { PredictionReport } from './prediction-log.ts'
import type { ArmFigures, DriftReport, DriftTotal, Quality } from './report.ts'

/** Quality of one task over the samples after the skipped share; `null` where a figure has no value. */
export interface TaskResult {
  readonly auc: number | null
  /** Bounds that hold it with a chance of about 95 % (Hanley and McNeil 1982). */
  readonly auc_interval?: { readonly low: number; readonly high: number } | undefined
  readonly logloss: number | null
  readonly normalized_entropy: number | null
  /** Sum of probabilities over sum of labels. */
  readonly calibration: number | null
  readonly positives: number
  readonly samples: number
}

/** Where the records of one input topic went; `in` is the sum of all the others. */
export interface TopicResult {
  readonly kind: string
  readonly in: number
  readonly joined: number
  readonly erased: number
  readonly duplicates: number
  readonly late: number
  readonly orphans: number
  readonly dead_letters: number
  readonly open: number
  readonly late_by_reason: Readonly<Record<string, number>>
  readonly dead_letters_by_reason: Readonly<Record<string, number>>
}

/** What moved during the run. */
export interface DriftResult {
  readonly alarms: readonly DriftTotal[]
  /** Population stability index of the last rows of each feature against the past; `null` where there were too few. */
  readonly features: Readonly<Record<string, number | null>>
}

/** One arm of an A/B test, by the arm that showed the impressions; quality over the last `observe.window` of them. */
export interface ArmResult {
  readonly learned: number
  readonly left_out: number
  readonly tasks: Readonly<Record<string, TaskResult>>
}

/** The whole report; its names are a public contract. */
export interface RunReport {
  readonly tasks: Readonly<Record<string, TaskResult>>
  /** Of the predictions made as impressions opened (a share of them), by their final labels. */
  readonly delayed: Readonly<Record<string, TaskResult>>
  /** By input topic. */
  readonly accounting: Readonly<Record<string, TopicResult>>
  readonly drift: DriftResult
  /** Only of a job that is an arm of a test. */
  readonly arms?: Readonly<Record<string, ArmResult>> | undefined
  readonly versions: { readonly published: number; readonly fulls: number; readonly deltas: number }
  readonly engine: { readonly name: string; readonly reason: string }
  readonly samples: number
  readonly samples_per_second: number
  readonly state_sha256: string
}

/** The parts of a report as the stages give them. */
export interface RunResults {
  readonly predictions: readonly PredictionReport[]
  readonly delayed: readonly PredictionReport[]
  readonly accounting: readonly InputAccounting[]
  readonly drift: Omit<DriftReport, 'kind' | 'raised'>
  readonly arms?: readonly ArmFigures[] | undefined
  readonly versions: RunReport['versions']
  readonly engine: RunReport['engine']
  readonly samples: number
  readonly samplesPerSecond: number
  readonly stateSha256: string
}

/** Puts the parts into the report's form. */
export function runReport(results: RunResults): RunReport {
  const byTask = (reports: readonly PredictionReport[]): RunReport['tasks'] =>
    Object.fromEntries(reports.map((report) => [report.task, taskResult(report)]))
  return {
    tasks: byTask(results.predictions),
    delayed: byTask(results.delayed),
    accounting: topicResults(results.accounting),
    drift: {
      alarms: results.drift.totals,
      features: Object.fromEntries(
        results.drift.features.map(({ feature, psi }) => [feature, psi ?? null]),
      ),
    },
    ...(results.arms === undefined ? {} : { arms: armResults(results.arms) }),
    versions: results.versions,
    engine: results.engine,
    samples: results.samples,
    samples_per_second: results.samplesPerSecond,
    state_sha256: results.stateSha256,
  }
}

/** By input topic. */
export function topicResults(accounting: readonly InputAccounting[]): Record<string, TopicResult> {
  return Object.fromEntries(accounting.map((input) => [input.topic, topicResult(input)]))
}

function armResults(arms: readonly ArmFigures[]): Record<string, ArmResult> {
  return Object.fromEntries(
    arms.map(({ arm, learned, leftOut, tasks }) => {
      const byTask = tasks.map(({ task, window }) => [task, taskResult(window)] as const)
      return [arm, { learned, left_out: leftOut, tasks: Object.fromEntries(byTask) }]
    }),
  )
}

/** A task's figures by their public names. */
export function taskResult(quality: Quality): TaskResult {
  return {
    auc: quality.auc ?? null,
    auc_interval: aucBounds(quality.auc, quality.positives, quality.samples),
    logloss: quality.logloss ?? null,
    normalized_entropy: quality.normalizedEntropy ?? null,
    calibration: quality.calibrationRatio ?? null,
    positives: quality.positives,
    samples: quality.samples,
  }
}

function topicResult(input: InputAccounting): TopicResult {
  return {
    kind: input.kind,
    in: input.in,
    joined: input.joined,
    erased: input.erased,
    duplicates: input.duplicates,
    late: total(input.late),
    orphans: input.orphans,
    dead_letters: total(input.deadLetters),
    open: input.open,
    late_by_reason: input.late,
    dead_letters_by_reason: input.deadLetters,
  }
}
