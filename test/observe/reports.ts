/** @file One plausible report of every kind, for the tests of what shows reports. */

import type { InputAccounting } from '../../src/observe/accounting.ts'
import type { Quality, Report, TaskQuality } from '../../src/observe/report.ts'
import type { Status } from '../../src/observe/status.ts'

const NOON = Date.UTC(2026, 2, 2, 12)

export function accountingOf(kind: string): InputAccounting {
  return {
    topic: `${kind}s`,
    kind,
    in: 1000,
    joined: 900,
    erased: 0,
    duplicates: 20,
    late: { 'behind-watermark': 5, 'after-window': 3 },
    orphans: 2,
    deadLetters: { undecodable: 4, time: 1 },
    open: 65,
  }
}

export function qualityOf(changes: Partial<Quality> = {}): Quality {
  return {
    samples: 20_000,
    positives: 4000,
    auc: 0.71234,
    logloss: 0.43,
    normalizedEntropy: 0.86,
    calibrationRatio: 1.02,
    labelRate: 0.2,
    ...changes,
  }
}

export function taskQuality(task: string, changes: Partial<Quality> = {}): TaskQuality {
  const window = qualityOf(changes)
  const { auc: _, ...total } = window
  return { task, window, total }
}

export const EVERY_REPORT: readonly Report[] = [
  {
    kind: 'epoch',
    accounting: [accountingOf('impression'), accountingOf('click')],
    samples: 900,
    missing: 3,
    lag: [{ topic: 'clicks', partition: 1, records: 12 }],
    watermark: NOON,
  },
  {
    kind: 'step',
    steps: 7,
    seconds: 0.012,
    coefficients: [1, 0.5],
    rateFactor: 0.4,
    minimumCosine: -0.25,
  },
  { kind: 'quality', tasks: [taskQuality('click'), taskQuality('like')] },
  {
    kind: 'delayed',
    tasks: [taskQuality('click', { auc: 0.7 }), taskQuality('like', { auc: undefined })],
  },
  {
    kind: 'labels',
    tasks: [
      {
        task: 'click',
        state: 'outage',
        since: NOON,
        usualRate: 0.2,
        anomalies: 2,
        lostShare: 0.031,
      },
      {
        task: 'like',
        state: 'flowing',
        since: undefined,
        usualRate: 0.1,
        anomalies: 0,
        lostShare: undefined,
      },
    ],
  },
  {
    kind: 'drift',
    raised: [],
    totals: [{ task: 'click', signal: 'loss', detector: 'adwin', alarms: 3 }],
    features: [
      { feature: 'user', psi: 0.31 },
      { feature: 'price', psi: undefined },
    ],
  },
  {
    kind: 'arms',
    arms: [
      { arm: 'blue', learned: 500, leftOut: 0, tasks: [taskQuality('click', { auc: 0.72 })] },
      { arm: 'green', learned: 0, leftOut: 300, tasks: [taskQuality('click', { auc: undefined })] },
    ],
  },
  {
    kind: 'tables',
    tables: [
      {
        table: 'user',
        rows: 10,
        bytes: 4096,
        payloadBytes: 320,
        evicted: { age: 3 },
        refused: { count: 2 },
      },
    ],
  },
  {
    kind: 'published',
    update: 'full',
    sequence: 3,
    sha256: 'cd'.repeat(32),
    bytes: 120_000,
    freshnessSeconds: 4.5,
  },
  {
    kind: 'verdict',
    outcome: 'held',
    sequence: 4,
    samples: 1200,
    heldInRow: 2,
    findings: [{ rule: 'calibration', subject: 'like', message: 'like: predicted too much' }],
  },
  {
    kind: 'examined',
    steps: 64,
    cosines: [1, -0.25, -0.25, 1],
    gates: [
      { gate: 'gate.task.0', shares: [0.75, 0.25] },
      { gate: 'gate.task.1', shares: [0.5, 0.5] },
    ],
    layers: [{ layer: 'expert.0.layer.0', units: 8, dead: 2 }],
  },
  { kind: 'engine', engine: 'tfjs-wasm', reason: 'the native library is "not" here\n' },
]

export function statusOf(changes: Partial<Status> = {}): Status {
  const version = {
    sequence: 12,
    update: 'delta' as const,
    bytes: 2_100_000,
    sha256: 'ab'.repeat(32),
    freshnessSeconds: 3.21,
    at: NOON - 4000,
  }
  return {
    job: 'simulated',
    at: NOON,
    engine: 'plain',
    engineReason: 'asked for',
    events: 123_456,
    samples: 100_000,
    steps: 400,
    eventsPerSecond: 5120.4,
    samplesPerSecond: 4100,
    tasks: [taskQuality('click'), taskQuality('like', { auc: undefined })],
    delayed: [taskQuality('click', { auc: 0.7 }), taskQuality('like', { auc: undefined })],
    reliability: [
      [{ samples: 2000, predicted: 0.1, observed: 0.11, low: 0.09, high: 0.13 }],
      [{ samples: 2000, predicted: 0.3, observed: 0.28, low: 0.26, high: 0.3 }],
    ],
    weights: [1, 0.5],
    examined: {
      kind: 'examined',
      steps: 384,
      cosines: [1, -0.25, -0.25, 1],
      gates: [{ gate: 'gate.task.0', shares: [0.75, 0.25] }],
      layers: [{ layer: 'expert.0.layer.0', units: 8, dead: 2 }],
    },
    tables: [{ table: 'embeddings', rows: 1000, bytes: 4096, payloadBytes: 320 }],
    accounting: [accountingOf('impression'), accountingOf('click')],
    watermark: NOON,
    lagRecords: 42,
    verdict: undefined,
    freshnessSeconds: version.freshnessSeconds,
    version,
    versions: [version],
    held: [],
    labels: [],
    drift: undefined,
    metricsUrl: 'http://127.0.0.1:9464',
    ...changes,
  }
}
