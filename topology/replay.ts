/**
 * @file Time travel: several learners on the same joined stream, compared impression by impression; or one learner whose model
 * reaches its scorers only now and then. What counts is what was predicted as impressions opened.
 */

import type { TopicLog } from '../src/broker/topic-log.ts'
import { MillraceError } from '../src/errors.ts'
import { FeatureEncoder } from '../src/features/encode.ts'
import type { EventJoiner } from '../src/join/event-joiner.ts'
import { longestWindowMs } from '../src/join/options.ts'
import { featureStateSections } from '../src/publish/feature-state-section.ts'
import type { MiniBatch } from '../src/samples/mini-batcher.ts'
import type { Sample } from '../src/samples/sample.ts'
import { ServedModel } from '../src/serve/served-model.ts'
import { type Job, startsAtImpressions } from '../src/settings/job.ts'
import type { Engine } from '../src/tensors/engine.ts'
import type { Clock, EventTime } from '../src/time.ts'
import { selected } from './epoch-stages.ts'
import { corrections } from './job-corrections.ts'
import { buildStages, type JobStages } from './job-stages.ts'
import { joinWhole } from './join-whole.ts'
import { delayedLog } from './label-report.ts'
import { learn } from './learn-batch.ts'
import { eventJoiner } from './learner-role.ts'

/** One learner; `syncMs`: event time between two versions that its scorers get, 0: they have the newest weights, Infinity: they get one. */
export interface ReplayArm {
  readonly name: string
  readonly job: Job
  readonly syncMs: number
}

export interface ReplayOptions {
  /** Its events and its join make the stream for every arm, its `train.report_skip` says from when on arms are judged. */
  readonly stream: Job
  readonly arms: readonly ReplayArm[]
  readonly log: TopicLog
  readonly engine: Engine
  readonly clock: Clock
  /** Impressions from this event time on, and before that one. */
  readonly from: EventTime
  readonly to: EventTime
  /** Told how many samples of how many were learned from. */
  readonly onProgress?: (samples: number, of: number) => void
}

/** What one arm predicted for the impressions that are judged. */
export interface Replayed {
  readonly name: string
  readonly tasks: readonly {
    readonly task: string
    readonly probabilities: Float32Array
    readonly labels: Float32Array
  }[]
}

/** The part of a stream that is replayed. */
interface Span {
  readonly samples: number
  /** Impressions from this event time on are judged; scorers get their first version here. */
  readonly judgedFrom: EventTime
  /** Rows with known labels before those. */
  readonly unjudgedRows: number
}

/** Reads the stream twice: once for where it begins and ends, once with all arms side by side. */
export async function replay(options: ReplayOptions): Promise<readonly Replayed[]> {
  const { stream, arms, onProgress = () => undefined } = options
  if (!startsAtImpressions(stream)) throw withoutImpressions(stream)
  for (const { job } of arms) checkSameTasks(stream, job)
  const span = await spanOf(options)
  const { joiner, samples } = await samplesOf(options)
  const runners = arms.map((arm) => new ArmRunner(arm, options, joiner, span.judgedFrom))
  let learned = 0
  for await (const some of samples) {
    for (const runner of runners) await runner.push(some)
    learned += some.length
    onProgress(learned, span.samples)
  }
  for (const runner of runners) await runner.finish()
  if (runners.every(({ stages }) => delayedLog(stages).rows <= span.unjudgedRows)) throw notJudged()
  return runners.map(({ name, stages }) => ({ name, tasks: judged(stages, span.unjudgedRows) }))
}

async function samplesOf({ stream, log, clock, from, to }: ReplayOptions): Promise<{
  readonly joiner: EventJoiner
  readonly samples: AsyncGenerator<readonly Sample[]>
}> {
  const job = everyOpening(stream)
  const { joiner, outputs } = await joinWhole(job, log, clock, (inputs) => eventJoiner(job, inputs))
  async function* samples(): AsyncGenerator<readonly Sample[]> {
    for await (const { samples: all } of outputs) {
      yield all.filter(({ time }) => time >= from && time < to)
    }
  }
  return { joiner, samples: samples() }
}

/** Every impression is scored as it opens. */
function everyOpening(job: Job): Job {
  return { ...job, observe: { ...job.observe, delayed_share: 1 } }
}

async function spanOf(options: ReplayOptions): Promise<Span> {
  const { stream } = options
  const labelled: EventTime[] = []
  let count = 0
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for await (const some of (await samplesOf(options)).samples) {
    count += some.length
    for (const { time, mask, maturedAt } of some) {
      first = Math.min(first, time)
      last = Math.max(last, time)
      if (mask.includes(1)) labelled.push(maturedAt)
    }
  }
  if (count === 0) {
    throw new MillraceError('BAD_INPUT', 'there is no impression to replay in that time', {
      remedy: 'widen --from and --to, or look at the bus with `millrace doctor JOB`',
    })
  }
  const judgedFrom = first + stream.train.report_skip * (last - first)
  const known = judgedFrom + longestWindowMs(stream.join.tasks)
  return { samples: count, judgedFrom, unjudgedRows: labelled.filter((at) => at < known).length }
}

function judged(stages: JobStages, from: number): Replayed['tasks'] {
  const log = delayedLog(stages)
  return stages.tasks.map((task, index) => ({ task, ...log.labelled(index, from) }))
}

/** One learner of the replay. */
class ArmRunner {
  readonly name: string
  readonly stages: JobStages
  readonly #arm: ReplayArm
  readonly #engine: Engine
  readonly #clock: Clock
  #served: { readonly model: ServedModel; encoder: FeatureEncoder } | undefined
  #syncAt: EventTime

  constructor(
    arm: ReplayArm,
    { stream, engine, clock }: ReplayOptions,
    intake: EventJoiner,
    firstSync: EventTime,
  ) {
    const { join, observe } = everyOpening(stream)
    this.name = arm.name
    this.stages = buildStages({ ...arm.job, join, observe }, intake, engine)
    this.#arm = arm
    this.#engine = engine
    this.#clock = clock
    this.#syncAt = arm.syncMs === 0 ? Number.POSITIVE_INFINITY : firstSync
  }

  async push(samples: readonly Sample[]): Promise<void> {
    await this.#learn(this.stages.batcher.push(selected(this.stages, samples)))
  }

  async finish(): Promise<void> {
    await this.#learn(this.stages.batcher.flush())
  }

  async #learn(batches: readonly MiniBatch[]): Promise<void> {
    for (const batch of batches) {
      this.#sync(batch[0]?.maturedAt ?? 0)
      await learn(
        {
          stages: this.stages,
          clock: this.#clock,
          report: () => undefined,
          examineEverySteps: 0,
          scoreOpened: this.#served === undefined ? undefined : (rows) => this.#score(rows),
        },
        batch,
      )
    }
  }

  /** A new version for the scorers, when one is due. */
  #sync(now: EventTime): void {
    const { publisher, encoder, featureState } = this.stages
    if (now < this.#syncAt) return
    this.#syncAt = now + this.#arm.syncMs
    const draft = publisher.draft({
      metrics: {},
      standardisation: encoder.statistics(),
      corrections: corrections(this.#arm.job),
      sections: featureStateSections(featureState, publisher.nextKind),
    })
    publisher.commit(draft)
    featureState.published()
    // A full version has all rows that there are, and does not say which are gone.
    const before = draft.header.kind === 'full' ? undefined : this.#served?.model
    if (before === undefined) this.#served?.model.release()
    else before.apply(draft)
    const model = before ?? ServedModel.of(this.#engine, draft)
    const served = new FeatureEncoder(model.spec, model.state)
    served.setStatistics(model.standardisation)
    this.#served = { model, encoder: served }
  }

  #score(rows: MiniBatch): Float32Array {
    if (this.#served === undefined) throw new MillraceError('BAD_STATE', 'no version was made yet')
    const { model, encoder } = this.#served
    return model.score(encoder.encode(rows))
  }
}

/** An action that opens its sample has nothing to be scored before. */
function withoutImpressions({ file }: Job): MillraceError {
  return new MillraceError(
    'BAD_SETTINGS',
    `${file} has no impressions: nothing was shown that two learners could be compared on`,
    { remedy: 'replay a job with a kind that is the anchor: true' },
  )
}

function notJudged(): MillraceError {
  return new MillraceError('BAD_INPUT', 'no impression was scored as it opened and then labelled', {
    remedy: 'replay more of the stream',
  })
}

function checkSameTasks(one: Job, other: Job): void {
  const tasks = (job: Job): string => job.join.tasks.map(({ name }) => name).join(', ')
  if (tasks(one) === tasks(other)) return
  throw new MillraceError(
    'BAD_SETTINGS',
    `${other.file} has the tasks ${tasks(other)}, ${one.file} has ${tasks(one)}`,
    { remedy: 'compare jobs with the same tasks in the same order' },
  )
}
