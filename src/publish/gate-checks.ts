/** @file The gate's rules as pure functions: a candidate version and what is known about it to findings; none means healthy. */

import type { GateOptions } from './gate-options.ts'
import type { DenseWeights, UpdateContent } from './update.ts'

/** Why a version can be held back. */
export type GateRule =
  | 'not-finite'
  | 'norm'
  | 'norm-growth'
  | 'auc'
  | 'auc-drop'
  | 'normalized-entropy'
  | 'calibration'
  | 'label-outage'

/** Every rule, so that its counter can start at 0. */
export const GATE_RULES: readonly GateRule[] = [
  'not-finite',
  'norm',
  'norm-growth',
  'auc',
  'auc-drop',
  'normalized-entropy',
  'calibration',
  'label-outage',
]

/** One thing that is wrong with a candidate. */
export interface GateFinding {
  readonly rule: GateRule
  /** A task, a parameter, or `rows`. */
  readonly subject: string
  /** A sentence with the figure and its limit. */
  readonly message: string
}

/** Prequential quality of one task over the samples since the last verdict. */
export interface TaskEvidence {
  readonly task: string
  readonly samples: number
  readonly positives: number
  readonly auc?: number | undefined
  readonly normalizedEntropy?: number | undefined
  readonly calibration?: number | undefined
}

/** What the gate goes by besides the weights. */
export interface GateEvidence {
  readonly tasks: readonly TaskEvidence[]
  /** Tasks whose labels stopped coming: what was learned since is all negatives. */
  readonly outages: readonly string[]
}

/** What is remembered of the last published version. */
export interface GateBaseline {
  readonly sequence: number
  readonly denseNorm: number
  /** Tasks that were judged. */
  readonly tasks: readonly TaskEvidence[]
}

/** How many standard errors of the difference a fall of AUC must exceed besides its bound. */
const NOISE = 3

/** Weights that are not finite: never published, whatever the settings say. */
export function finiteFindings({ dense, rows, probe }: UpdateContent): GateFinding[] {
  const sick = (subject: string, values: Float32Array): GateFinding[] =>
    values.every(Number.isFinite)
      ? []
      : [{ rule: 'not-finite', subject, message: `${subject} has a value that is not finite` }]
  return [
    ...dense.flatMap(({ name, values }) => sick(name, values)),
    ...sick('rows', rows.values),
    ...sick('probe', probe.scores),
  ]
}

/** Norms against `max_norm` and against the baseline. */
export function normFindings(
  { dense, rows, header }: UpdateContent,
  options: GateOptions,
  baseline: GateBaseline | undefined,
): GateFinding[] {
  const { max_norm, max_norm_growth } = options
  const tooLong = (subject: string, norm: number): GateFinding[] =>
    norm > max_norm
      ? [
          {
            rule: 'norm',
            subject,
            message: `${subject} has norm ${shown(norm)}, at most ${max_norm}`,
          },
        ]
      : []
  const findings = dense.flatMap(({ name, values }) => tooLong(name, norm(values)))
  findings.push(...tooLong('rows', longestRow(rows.values, header.table.width)))
  const growth = denseNorm(dense) / (baseline?.denseNorm ?? Number.POSITIVE_INFINITY)
  if (growth > max_norm_growth) {
    const message = `the norm of the dense weights grew ${shown(growth)} times since version ${baseline?.sequence}, at most ${max_norm_growth}`
    findings.push({ rule: 'norm-growth', subject: 'dense', message })
  }
  return findings
}

/** The tasks with enough positives to judge. */
export function judgedTasks(evidence: GateEvidence, options: GateOptions): TaskEvidence[] {
  return evidence.tasks.filter(({ positives }) => positives >= options.min_positives)
}

/** One task's quality against bounds and baseline. */
export function qualityFindings(
  now: TaskEvidence,
  options: GateOptions,
  baseline: GateBaseline | undefined,
): GateFinding[] {
  const { task, auc, normalizedEntropy, calibration } = now
  const { min_auc = 0, max_normalized_entropy, calibration: bounds } = options
  const findings: GateFinding[] = []
  const find = (rule: GateRule, message: string): void => {
    findings.push({ rule, subject: task, message: `${task}: ${message}` })
  }
  if (auc !== undefined && auc < min_auc) find('auc', `AUC ${shown(auc)}, at least ${min_auc}`)
  if (normalizedEntropy !== undefined && normalizedEntropy > max_normalized_entropy) {
    find(
      'normalized-entropy',
      `normalized entropy ${shown(normalizedEntropy)}, at most ${max_normalized_entropy}`,
    )
  }
  if (calibration !== undefined && (calibration < bounds[0] || calibration > bounds[1])) {
    find(
      'calibration',
      `predicted over observed positives ${shown(calibration)}, between ${bounds[0]} and ${bounds[1]}`,
    )
  }
  const before = baseline?.tasks.find((one) => one.task === task)
  const limit = before === undefined ? undefined : largestDrop(before, now, options.max_auc_drop)
  const drop = (before?.auc ?? 0) - (auc ?? 1)
  if (limit !== undefined && drop > limit) {
    find(
      'auc-drop',
      `AUC fell by ${shown(drop)} since version ${baseline?.sequence}, at most ${shown(limit)}`,
    )
  }
  return findings
}

/** The bound and the noise of both measurements together. */
function largestDrop(before: TaskEvidence, now: TaskEvidence, bound: number): number {
  return bound + NOISE * Math.sqrt(aucVariance(before) + aucVariance(now))
}

/** Variance of an AUC estimate (Hanley and McNeil, Radiology 1982, eq. 2). */
function aucVariance({ auc = 0.5, samples, positives }: TaskEvidence): number {
  const negatives = samples - positives
  if (positives === 0 || negatives === 0) return 0
  const q1 = auc / (2 - auc)
  const q2 = (2 * auc * auc) / (1 + auc)
  const sum =
    auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc)
  return Math.max(0, sum) / (positives * negatives)
}

/** Euclidean norm of all dense weights together. */
export function denseNorm(dense: readonly DenseWeights[]): number {
  return Math.hypot(...dense.map(({ values }) => norm(values)))
}

function norm(values: Float32Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!
  return Math.sqrt(sum)
}

function longestRow(values: Float32Array, width: number): number {
  let longest = 0
  for (let at = 0; at < values.length; at += width) {
    longest = Math.max(longest, norm(values.subarray(at, at + width)))
  }
  return longest
}

function shown(value: number): string {
  return Number(value.toPrecision(4)).toString()
}
