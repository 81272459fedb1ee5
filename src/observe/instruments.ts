/** @file Every metric the learner exposes: name, help text, labels. Names follow Prometheus: base units, `_total` for counters. */

import type { Registry } from 'prom-client'
import { makersOf } from './instrument-makers.ts'

/** Bucket bounds in seconds of one training step: 1 ms to 5 s. */
const STEP_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** All metrics of the learner, made once per registry. */
export type Instruments = ReturnType<typeof createInstruments>

/** Makes the metrics inside `registry`; nothing goes into prom-client's global one. */
export function createInstruments(registry: Registry) {
  return {
    ...eventInstruments(registry),
    ...trainingInstruments(registry),
    ...taskInstruments(registry),
    ...driftInstruments(registry),
    ...armInstruments(registry),
    ...modelInstruments(registry),
  }
}

function eventInstruments(registry: Registry) {
  const { counter, gauge } = makersOf(registry)
  const kind = ['kind']
  const reason = ['kind', 'reason']
  return {
    events: counter('events_total', 'Records read from the input topics.', kind),
    joined: counter('events_joined_total', 'Events that became a sample or set a label.', kind),
    erased: counter('events_erased_total', 'Open impressions of erased users.', kind),
    duplicates: counter('events_duplicate_total', 'Events whose id was seen before.', kind),
    late: counter('events_late_total', 'Events that came too late, by reason.', reason),
    orphans: counter('events_orphan_total', 'Feedback without a known impression.', kind),
    deadLetters: counter('dead_letters_total', 'Records that could not be read.', reason),
    open: gauge('open_events', 'Events that wait for the watermark or their window.', kind),
    unaccounted: gauge('events_unaccounted', 'Records in minus records counted; must be 0.', kind),
    lag: gauge('consumer_lag_records', 'Records on the bus not read yet.', ['topic', 'partition']),
    watermark: gauge('watermark_timestamp_seconds', 'Event time up to which input is complete.'),
  }
}

function trainingInstruments(registry: Registry) {
  const { counter, gauge, histogram } = makersOf(registry)
  return {
    samples: counter('samples_total', 'Samples that left the join.'),
    missing: counter('samples_missing_total', 'Samples accepted as lost (samples.gaps: accept).'),
    steps: counter('training_steps_total', 'Training steps taken.'),
    stepSeconds: histogram(
      'training_step_duration_seconds',
      'Duration of one training step, prediction included.',
      STEP_BUCKETS,
    ),
    rateFactor: gauge('learning_rate_ratio', 'Learning rates of the last step over their setting.'),
    cosine: gauge('gradient_cosine_minimum', 'Smallest cosine between two task gradients.'),
    taskCosine: gauge(
      'task_gradient_cosine',
      'Cosine of two task gradients, examined steps only.',
      ['task', 'other'],
    ),
    gateShare: gauge(
      'gate_share',
      'Mean weight that a gate gives an expert, examined steps only.',
      ['gate', 'expert'],
    ),
    deadUnits: gauge(
      'dead_units_ratio',
      'Units of an expert layer that gave 0 for a whole batch.',
      ['layer'],
    ),
    engine: gauge('engine_info', 'Engine in use and why; always 1.', ['engine', 'reason']),
    build: gauge('build_info', 'Version of the program; always 1.', ['version', 'node']),
  }
}

function taskInstruments(registry: Registry) {
  const { counter, gauge } = makersOf(registry)
  const task = ['task']
  return {
    auc: gauge('task_auc', 'Prequential AUC over the window.', task),
    logloss: gauge('task_logloss', 'Prequential log loss over the window, in nats.', task),
    entropy: gauge('task_normalized_entropy', 'Log loss over entropy of the base rate.', task),
    calibration: gauge('task_calibration_ratio', 'Predicted over observed positives.', task),
    labelRate: gauge('task_label_rate', 'Positives over labelled samples in the window.', task),
    delayedAuc: gauge('task_delayed_auc', 'AUC of predictions at opening, by final labels.', task),
    delayedEntropy: gauge(
      'task_delayed_normalized_entropy',
      'Normalized entropy of predictions at opening, by final labels.',
      task,
    ),
    delayedCalibration: gauge(
      'task_delayed_calibration_ratio',
      'Predicted at opening over final positives.',
      task,
    ),
    frozen: gauge('task_frozen', '1 while labels look wrong and the task does not learn.', task),
    anomalies: counter('label_anomalies_total', 'Label outages and surges noticed.', task),
    lostShare: gauge('task_lost_label_ratio', 'Share of labels that come after the window.', task),
    weight: gauge('task_weight', 'Coefficient of the task gradient in the last step.', task),
  }
}

function driftInstruments(registry: Registry) {
  const { counter, gauge } = makersOf(registry)
  const labels = ['task', 'signal', 'detector']
  return {
    drift: counter('drift_alarms_total', 'Alarms of drift detectors.', labels),
    featureShift: gauge(
      'feature_shift_psi',
      'Population stability index of the last rows against the past; above 0.25 is large.',
      ['feature'],
    ),
  }
}

function armInstruments(registry: Registry) {
  const { counter, gauge } = makersOf(registry)
  const labels = ['arm', 'task']
  const use = ['arm', 'use']
  return {
    armSamples: counter('arm_samples_total', 'Samples by arm of the test and by use.', use),
    armAuc: gauge('arm_task_auc', "Prequential AUC over the arm's window.", labels),
    armEntropy: gauge(
      'arm_task_normalized_entropy',
      'Log loss over entropy of the base rate, by arm.',
      labels,
    ),
    armCalibration: gauge(
      'arm_task_calibration_ratio',
      'Predicted over observed positives, by arm.',
      labels,
    ),
  }
}

function modelInstruments(registry: Registry) {
  const { counter, gauge } = makersOf(registry)
  const table = ['table']
  return {
    version: gauge('model_version', 'Sequence number of the last published update.'),
    published: counter('published_updates_total', 'Updates on the model topic.', ['update']),
    verdicts: counter('gate_verdicts_total', 'Versions that were due, by outcome.', ['outcome']),
    findings: counter('gate_findings_total', 'Reasons to hold a version back.', ['rule']),
    held: gauge('gate_held_versions', 'Versions held back in a row; 0 when the last one went out.'),
    publishedBytes: counter('published_bytes_total', 'Bytes of published updates.', ['update']),
    freshness: gauge('freshness_seconds', 'Event time to publication of the last update.'),
    tableRows: gauge('table_rows', 'Rows of the embedding table.', table),
    evictions: counter('table_evictions_total', 'Rows given up, by reason.', [...table, 'reason']),
    refusals: counter('table_refusals_total', 'Keys that got no row.', [...table, 'reason']),
    erasedUsers: counter('erased_users_total', 'Users forgotten by a tombstone.'),
    tableBytes: gauge('table_bytes', 'Memory of the embedding table.', table),
    payloadBytes: gauge('table_payload_bytes', 'Memory of the embedding values alone.', table),
  }
}
