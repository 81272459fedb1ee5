/** @file What a scorer tells about itself, as values: the topology sends them to the registry and the log. */

import type { RefusalReason } from './follower.ts'

/** Why a record of the model topic was not taken: a follower's reasons, and bytes that are no chunk at all. */
export type UpdateRefusal = RefusalReason | 'malformed'

/** Every reason, so that its counter can start at 0: an alert must see the first refusal. */
export const UPDATE_REFUSALS: Readonly<Record<UpdateRefusal, true>> = {
  corrupt: true,
  foreign: true,
  zombie: true,
  gap: true,
  fork: true,
  incomplete: true,
  unsigned: true,
  signature: true,
  replayed: true,
  withdrawn: true,
  malformed: true,
}

/** The engine that scores, and why it is that one. */
export interface ScoringEngineReport {
  readonly kind: 'engine'
  readonly engine: string
  readonly reason: string
}

/** A request to score was answered. */
export interface RequestReport {
  readonly kind: 'request'
  /** HTTP status of the answer. */
  readonly status: number
  /** From the first byte of the request to the last of the answer. */
  readonly seconds: number
}

/** Rows got their scores. */
export interface ScoredReport {
  readonly kind: 'scored'
  readonly rows: number
}

/** A request ended in a fault of the program. */
export interface FailedReport {
  readonly kind: 'failed'
  readonly message: string
}

/** Another version is in use now. */
export interface AppliedReport {
  readonly kind: 'applied'
  readonly modelId: string
  readonly sequence: number
  /** Of the version's content, hex. */
  readonly sha256: string
  /** Rows of the embedding table. */
  readonly tableRows: number
  /** When the trainer appended it, wall-clock Unix ms. */
  readonly publishedAtMs: number
}

/** An update was not taken; `usable` says whether an earlier version still scores. */
export interface RefusedReport {
  readonly kind: 'refused'
  readonly reason: UpdateRefusal
  readonly detail: string
  readonly usable: boolean
}

/** The model topic could not be read; it is tried again. */
export interface UnreadableReport {
  readonly kind: 'unreadable'
  readonly message: string
}

/** One task of one request, scored by two versions: means over the rows. */
export interface TaskDifference {
  readonly task: string
  /** Of the version that answered. */
  readonly answer: number
  readonly shadow: number
  /** Between the two, row by row. */
  readonly distance: number
}

/** A second version scored the same rows as one that answered. */
export interface ShadowedReport {
  readonly kind: 'shadowed'
  readonly rows: number
  /** Those that both versions have. */
  readonly tasks: readonly TaskDifference[]
}

/** Another version is in the shadow now. */
export interface ShadowVersionReport {
  readonly kind: 'shadow-version'
  readonly modelId: string
  readonly sequence: number
  readonly sha256: string
}

/** An update of the shadow was not taken. */
export interface ShadowRefusedReport {
  readonly kind: 'shadow-refused'
  readonly reason: UpdateRefusal
  readonly detail: string
}

/** Everything that a scorer reports. */
export type ScorerReport =
  | ScoringEngineReport
  | RequestReport
  | ScoredReport
  | FailedReport
  | AppliedReport
  | RefusedReport
  | UnreadableReport
  | ShadowedReport
  | ShadowVersionReport
  | ShadowRefusedReport
