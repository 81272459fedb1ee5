/** @file What the stages and the learner tell about themselves, as values: the topology sends them to the registry and the page. */

import type {
  DriftAlarm,
  DriftDetector,
  DriftSignal,
  FeatureShift,
  LabelHealth,
} from '../health.ts'
import type { TopicPartition } from '../ids.ts'
import type { Verdict } from '../publish/gate.ts'
import type { EventTime } from '../time.ts'
import type { InputAccounting } from './accounting.ts'

/** How far the learner is behind the end of one partition. */
export interface PartitionLag extends TopicPartition {
  /** Records in the log that were not read yet. */
  readonly records: number
}

/** The state of the path at the end of one epoch. Every count is a total since the start of the log, not a difference. */
export interface EpochReport {
  readonly kind: 'epoch'
  readonly accounting: readonly InputAccounting[]
  /** Samples (rows) that left the join. */
  readonly samples: number
  /** Of the samples topic, accepted as lost (`samples.gaps`); absent in a process that does not read it. */
  readonly missing?: number
  readonly lag: readonly PartitionLag[]
  /** Global watermark; infinite before the first and after the last event. */
  readonly watermark: EventTime
}

/** One training step. */
export interface StepReport {
  readonly kind: 'step'
  /** Steps taken so far, this one included. */
  readonly steps: number
  /** Wall-clock duration of predict and learn together. */
  readonly seconds: number
  /** Coefficient that the balancer gave each task; in task order. */
  readonly coefficients: ArrayLike<number>
  /** What the learning rates were multiplied by. */
  readonly rateFactor: number
  /** Smallest cosine between two active tasks' gradients, when the balancer needed them. */
  readonly minimumCosine?: number | undefined
}

/** Prequential quality of one set of scored samples; `undefined` where the metric has no value (one class only, no row). */
export interface Quality {
  readonly samples: number
  readonly positives: number
  readonly auc: number | undefined
  readonly logloss: number | undefined
  readonly normalizedEntropy: number | undefined
  /** Sum of probabilities over sum of labels; 1 is right. */
  readonly calibrationRatio: number | undefined
  /** Positives over samples. */
  readonly labelRate: number | undefined
}

/** Quality of one task over the last samples and since the start. AUC is exact and therefore known for the window only. */
export interface TaskQuality {
  readonly task: string
  readonly window: Quality
  readonly total: Omit<Quality, 'auc'>
}

/** The live quality figures of every task. */
export interface QualityReport {
  readonly kind: 'quality'
  readonly tasks: readonly TaskQuality[]
}

/** The live quality figures of predictions made as impressions opened, judged by their final labels. */
export interface DelayedReport {
  readonly kind: 'delayed'
  readonly tasks: readonly TaskQuality[]
}

/** How the labels of every task come in. */
export interface LabelsReport {
  readonly kind: 'labels'
  readonly tasks: readonly (LabelHealth & {
    /** Share of the task's labels that come after its window, of those that come while keys are remembered; undefined without labels. */
    readonly lostShare: number | undefined
  })[]
}

/** Alarms of one detector since the start. */
export interface DriftTotal {
  readonly task: string
  readonly signal: DriftSignal
  readonly detector: DriftDetector
  readonly alarms: number
}

/** What has moved. */
export interface DriftReport {
  readonly kind: 'drift'
  /** Alarms of this moment; empty where the report only says how things stand. */
  readonly raised: readonly DriftAlarm[]
  readonly totals: readonly DriftTotal[]
  readonly features: readonly FeatureShift[]
}

/** One arm of an A/B test as this learner sees it. */
export interface ArmFigures {
  readonly arm: string
  /** Samples that were learned from, and those that were left out because they are another arm's. */
  readonly learned: number
  readonly leftOut: number
  /** Of what was learned from: nothing else is scored. */
  readonly tasks: readonly TaskQuality[]
}

/** The figures of a job that is an arm of a test, by the arm that showed the impressions. */
export interface ArmsReport {
  readonly kind: 'arms'
  readonly arms: readonly ArmFigures[]
}

/** Size of one embedding table. */
export interface TableSize {
  readonly table: string
  readonly rows: number
  /** All memory the table holds: keys, payload, optimizer state, empty slots. */
  readonly bytes: number
  /** Memory of the embedding values alone. */
  readonly payloadBytes: number
  /** Rows given up so far, by reason; absent where none can be. */
  readonly evicted?: Readonly<Record<string, number>> | undefined
  /** Keys that got no row so far, by reason. */
  readonly refused?: Readonly<Record<string, number>> | undefined
}

/** The sizes of all tables. */
export interface TablesReport {
  readonly kind: 'tables'
  readonly tables: readonly TableSize[]
  /** Users forgotten by tombstones; undefined in a job without them. */
  readonly erasedUsers?: number | undefined
}

/** One update that reached the model topic. */
export interface PublishedReport {
  readonly kind: 'published'
  readonly update: 'full' | 'delta'
  readonly sequence: number
  /** Of the update's content, hex. */
  readonly sha256: string
  readonly bytes: number
  /** Seconds from the newest event time inside the update to its publication. */
  readonly freshnessSeconds: number
}

/** What the gate made of a version that was due; a held one is not on the model topic. */
export interface VerdictReport extends Verdict {
  readonly kind: 'verdict'
}

/** The engine in use, and why it is that one. */
export interface EngineReport {
  readonly kind: 'engine'
  readonly engine: string
  readonly reason: string
}

/** A look inside the model on one batch, now and then; see `src/train/examination.ts`. */
export interface ExaminedReport {
  readonly kind: 'examined'
  readonly steps: number
  /** Cosines of the task gradients, row-major T x T in task order. */
  readonly cosines: ArrayLike<number>
  /** Mean weights of each gate over its experts. */
  readonly gates: readonly { readonly gate: string; readonly shares: readonly number[] }[]
  /** Units of each ReLU layer of experts and bottoms, and how many of them gave 0 for every row. */
  readonly layers: readonly {
    readonly layer: string
    readonly units: number
    readonly dead: number
  }[]
}

/** Everything that can be reported. */
export type Report =
  | EpochReport
  | StepReport
  | QualityReport
  | DelayedReport
  | LabelsReport
  | DriftReport
  | ArmsReport
  | TablesReport
  | PublishedReport
  | VerdictReport
  | EngineReport
  | ExaminedReport
