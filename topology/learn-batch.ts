/** @file One mini-batch: what was only opened is scored, what teaches is scored and then learned from, what has matured judges. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { tidy } from '../src/embeddings/tidy.ts'
import { batchLabels, finalLabels } from '../src/features/batch-labels.ts'
import type { BatchLabels, EncodedFeatures } from '../src/features/encoded-batch.ts'
import type { Report } from '../src/observe/report.ts'
import type { ScoredBatch } from '../src/observe/scored-batch.ts'
import { amongDrawn } from '../src/samples/drawn-negatives.ts'
import type { MiniBatch } from '../src/samples/mini-batcher.ts'
import { type Sample, teaches } from '../src/samples/sample.ts'
import type { Clock, EventTime } from '../src/time.ts'
import { driftReport } from './drift-report.ts'
import type { JobStages } from './job-stages.ts'

/** What learning works with. */
export interface LearnContext {
  readonly stages: JobStages
  readonly clock: Clock
  readonly report: (report: Report) => void
  /** Steps between two looks inside the model, 0 for none. */
  readonly examineEverySteps: number
  /** Scores impressions as they open with another model than the learner's, such as an older version. */
  readonly scoreOpened?: ((opened: MiniBatch) => Float32Array) | undefined
}

/** Scores the batch, then learns from it (law 1). Gives the event loop a turn, so that metrics are answered meanwhile. */
export async function learn(context: LearnContext, batch: MiniBatch): Promise<void> {
  const { stages } = context
  // The model is as it was when these opened: no step was taken since.
  scoreOpened(
    context,
    batch.filter(({ role }) => role === 'opened'),
  )
  await nextTurn()
  const teaching = batch.filter(teaches)
  const now = batch.at(-1)?.maturedAt ?? 0
  if (teaching.length > 0) learnFrom(context, teaching, now)
  const matured = batch.filter((sample) => sample.mask.includes(1))
  settleMatured(context, matured, now)
  stages.firstPredictions.forget(now)
  stages.openPredictions.forget(now)
  stages.encoder.forget(now)
  for (const sample of batch) if (sample.role === 'erasure') erase(stages, sample)
  await nextTurn()
}

/** A tombstone ends its batch, so everything that was learned of the user so far goes, and nothing else. */
function erase(stages: JobStages, { key: user, fields }: Sample): void {
  const ids = Array.isArray(fields.impressions) ? fields.impressions.map(String) : []
  for (const kept of [stages.firstPredictions, stages.openPredictions, stages.encoder])
    kept.drop(ids)
  stages.userErasure?.erase(user)
}

function scoreOpened(
  { stages, scoreOpened: scoreElsewhere }: LearnContext,
  opened: MiniBatch,
): void {
  if (opened.length === 0) return
  const { encoder, learner, openPredictions } = stages
  const scores = scoreElsewhere?.(opened) ?? learner.score(encoder.encode(opened))
  openPredictions.note(opened, scores)
}

function learnFrom(context: LearnContext, batch: MiniBatch, atMs: EventTime): void {
  const { stages, clock, report, examineEverySteps } = context
  const { encoder, learner, publisher } = stages
  const started = clock.now()
  const features = encoder.encodeSamples(batch)
  const labels = labelsFor(stages, batch, features)
  if (examineEverySteps > 0 && learner.steps % examineEverySteps === 0) {
    report({ kind: 'examined', steps: learner.steps, ...learner.examine(features, labels) })
  }
  stages.weights?.touch(features)
  stages.table.life?.advance(atMs)
  const learned = learner.learn(features, labels)
  tidy(stages.table)
  // Once per impression: a late positive is one that was there before.
  encoder.learn(batch.filter(({ role }) => role !== 'late-positive'))
  stages.drift.observeFeatures(features)
  judge(context, batch, learned.probabilities, atMs)
  report({
    kind: 'step',
    steps: learner.steps,
    seconds: (clock.now() - started) / 1000,
    coefficients: learned.coefficients,
    rateFactor: learned.rateFactor,
    minimumCosine: learned.cosines?.reduce((least, cosine) => Math.min(least, cosine), 1),
  })
  publisher.observe(features, atMs)
}

function labelsFor(
  { realNegatives, tasks }: JobStages,
  batch: MiniBatch,
  features: EncodedFeatures,
): BatchLabels {
  const labels = batchLabels(batch, tasks.length)
  if (realNegatives === undefined) return labels
  return { ...labels, realNegative: realNegatives.estimate(features) }
}

/** Prequential figures of final rows: each impression by what was predicted before anything was learned from it. */
function judge(
  context: LearnContext,
  batch: MiniBatch,
  probabilities: Float32Array,
  atMs: EventTime,
): void {
  const { stages } = context
  const { tasks, firstPredictions, openPredictions } = stages
  const rows = { count: batch.length, probabilities }
  const provisional = picked(batch, rows, tasks.length, ({ role }) => role === 'provisional')
  openPredictions.note(provisional.samples, provisional.probabilities)
  const final = picked(batch, rows, tasks.length, ({ role }) => role === 'final')
  if (final.samples.length > 0) {
    const judged = firstPredictions.judge(final.samples, final.probabilities)
    judgeLabels(context, final.samples, judged, atMs)
  }
  const drawn = picked(batch, rows, tasks.length, ({ role }) => role === 'drawn')
  if (drawn.samples.length > 0) judgeLabels(context, drawn.samples, drawn.probabilities, atMs)
}

/** Of a job without impressions what is judged is the probability among what was drawn: that is what its labels are of. */
function judgeLabels(
  context: LearnContext,
  samples: readonly Sample[],
  probabilities: Float32Array,
  atMs: EventTime,
): void {
  const { labels, mask } = batchLabels(samples, context.stages.tasks.length)
  const judged = probabilities.map((p, at) => {
    const { logDrawRate } = samples[at % samples.length]!
    return logDrawRate === undefined ? p : amongDrawn(p, logDrawRate)
  })
  const scored = { rows: samples.length, probabilities: judged, labels, mask }
  record(context, samples, scored, atMs)
}

/** What was judged goes to the live figures, to those of the whole run, and to what watches for drift. */
function record(
  { stages, report }: LearnContext,
  samples: readonly Sample[],
  scored: ScoredBatch,
  atMs: EventTime,
): void {
  const { arms } = stages
  arms?.quality.observe(
    scored,
    samples.map((sample) => arms.traffic.armOf(sample)),
  )
  stages.progressive.observe(scored)
  stages.predictions.append(scored)
  const raised = stages.drift.observe(scored, atMs)
  if (raised.length === 0) return
  if (raised.some(({ signal }) => signal === 'loss')) stages.learner.noteDrift()
  report(driftReport(stages, raised))
}

/** Rows whose labels have ended: they judge what was predicted as the impression opened, and teach the auxiliary heads. */
function settleMatured(context: LearnContext, matured: readonly Sample[], atMs: EventTime): void {
  const { stages } = context
  const { tasks, openPredictions, realNegatives, encoder, featureState } = stages
  if (matured.length === 0) return
  realNegatives?.learn(encoder.encodeSamples(matured), matured)
  featureState.advance(atMs)
  encoder.settle(matured)
  featureState.tidy()
  const { samples, probabilities } = openPredictions.recall(matured)
  if (samples.length === 0) return
  const scored = { rows: samples.length, probabilities, ...finalLabels(samples, tasks.length) }
  if (stages.fast) record(context, samples, scored, atMs)
  else {
    stages.delayedProgressive.observe(scored)
    stages.delayedPredictions.append(scored)
  }
}

interface ScoredRows {
  readonly count: number
  /** Task-major. */
  readonly probabilities: Float32Array
}

/** Some rows of a scored batch; the batch itself where all are wanted. */
function picked(
  batch: MiniBatch,
  { count, probabilities }: ScoredRows,
  tasks: number,
  isWanted: (sample: Sample) => boolean,
): { samples: readonly Sample[]; probabilities: Float32Array } {
  const rows = [...batch.keys()].filter((row) => isWanted(batch[row]!))
  if (rows.length === count) return { samples: batch, probabilities }
  const values = new Float32Array(tasks * rows.length)
  for (let task = 0; task < tasks; task++) {
    for (const [at, row] of rows.entries()) {
      values[task * rows.length + at] = probabilities[task * count + row]!
    }
  }
  return { samples: rows.map((row) => batch[row]!), probabilities: values }
}
