/** @file `learner`: a job's learner inside one's own program, without the command line; what `millrace run` does, as calls. */

import { lastValueFrom } from 'rxjs'
import type { TopicLog } from '../src/broker/topic-log.ts'
import { MillraceError } from '../src/errors.ts'
import type { Report, TaskQuality } from '../src/observe/report.ts'
import { type Job, loadJob } from '../src/settings/job.ts'
import { openEngine } from '../src/tensors/engine-choice.ts'
import type { Clock } from '../src/time.ts'
import { openBus } from './bus.ts'
import { codecOf, createEventTopics } from './event-inputs.ts'
import { learnerEpochs } from './learner.ts'
import { type OpenLearner, openLearner } from './open-learner.ts'

/** What a program may choose; by default as `millrace run` has it. */
export interface LearnerOptions {
  /** Another bus than the job's, such as a `MemoryLog`; it stays the caller's. */
  readonly log?: TopicLog
  readonly clock?: Clock
  /** Called with everything that happens: steps, versions, verdicts, epochs. */
  readonly onReport?: (report: Report) => void
}

/** Fields of one event or row. */
export type Fields = Readonly<Record<string, unknown>>

/** Scores of one row by task, each in 0 to 1. */
export type RowScores = Readonly<Record<string, number>>

/** A learner in this process. One at a time per job: its state folder is locked until `close`. */
export interface LibraryLearner {
  readonly job: Job
  /** Appends events of one kind to the bus; BAD_INPUT names a field that does not fit the schema. */
  append(kind: string, events: readonly Fields[]): Promise<void>
  /** Learns from everything that is on the bus now, checkpoints and publishes; the stream has then ended for this learner. */
  learn(): Promise<void>
  /** Learns until `stop` is called. */
  follow(): Promise<void>
  /** Lets the epoch under way end, then ends `follow`. */
  stop(): void
  /** Scores rows with the model as it stands; `time` is when they are shown, Unix ms. Changes nothing. */
  score(rows: readonly Fields[], time: number): readonly RowScores[]
  /** Quality of each task so far; every sample was scored before it was learned from. */
  quality(): readonly TaskQuality[]
  /** Gives the state folder and the bus free. */
  close(): Promise<void>
}

/**
 * Opens the learner of a job, and goes on where an earlier life of it ended.
 *
 * @param job Path of a job file, or a job that `loadJob` or `parseJob` gave.
 * @throws MillraceError BAD_SETTINGS or BAD_SCHEMA for a job that is not sound, BAD_STATE when the state folder is another
 * job's, IO when another process has it, BROKER when the bus does not answer.
 *
 * @example Events in, scores out, on a bus in memory:
 * ```ts
 * import { learner, loadJob, MemoryLog } from 'millrace'
 *
 * const job = await loadJob('examples/library/shop/job.yaml')
 * const shop = await learner({ ...job, name: 'example-memory' }, { log: new MemoryLog() })
 * const start = Date.UTC(2026, 0, 5, 9)
 * for (let i = 0; i < 1000; i++) {
 *   const view = { user_id: `u${i % 7}`, product_id: `p${i % 5}`, price: 5, seen_at: start + i * 1000 }
 *   await shop.append('view', [{ ...view, event_id: `v${i}` }])
 *   if (i % 5 === 0) await shop.append('purchase', [{ ...view, event_id: `b${i}`, seen_at: view.seen_at + 500 }])
 * }
 * await shop.learn()
 * const [p0, p1] = shop.score([{ product_id: 'p0', price: 5 }, { product_id: 'p1', price: 5 }], start)
 * console.log(`bought: ${p0?.purchase}, passed by: ${p1?.purchase}`)
 * await shop.close()
 * ```
 *
 * @example On a bus in files, until stopped; other processes may append to it meanwhile:
 * ```ts
 * import { learner, loadJob } from 'millrace'
 *
 * const job = await loadJob('examples/library/shop/job.yaml')
 * const bus = { ...job.bus, path: '.millrace/example-follow/bus' }
 * const shop = await learner({ ...job, name: 'example-follow', bus }, {
 *   onReport: (report) => {
 *     if (report.kind === 'epoch' && report.samples >= 300) shop.stop()
 *   },
 * })
 * const following = shop.follow()
 * const start = Date.UTC(2026, 0, 5, 9)
 * for (let i = 0; i < 2000; i++) {
 *   const view = { user_id: `u${i % 7}`, product_id: `p${i % 5}`, price: 5, seen_at: start + i * 1000 }
 *   await shop.append('view', [{ ...view, event_id: `v${i}` }])
 *   if (i % 5 === 0) await shop.append('purchase', [{ ...view, event_id: `b${i}`, seen_at: view.seen_at + 500 }])
 * }
 * await following
 * for (const { task, total } of shop.quality()) console.log(`${task}: ${total.samples} samples`)
 * await shop.close()
 * ```
 */
export async function learner(
  job: Job | string,
  options: LearnerOptions = {},
): Promise<LibraryLearner> {
  const settings = typeof job === 'string' ? await loadJob(job) : job
  const { engine } = await openEngine(settings.train.engine)
  const log = options.log ?? (await openBus(settings.bus))
  try {
    await createEventTopics(settings, log)
    const open = await openLearner({
      job: settings,
      log,
      engine,
      clock: options.clock ?? { now: () => Date.now() },
      report: options.onReport ?? (() => undefined),
    })
    return libraryLearner(settings, log, open, options.log === undefined)
  } catch (thrown) {
    if (options.log === undefined) await log.close()
    throw thrown
  }
}

function libraryLearner(
  job: Job,
  log: TopicLog,
  open: OpenLearner,
  ownsLog: boolean,
): LibraryLearner {
  const { run, source } = open
  const { stages } = run.context
  const follow = async (): Promise<void> => {
    await lastValueFrom(learnerEpochs(run))
  }
  return {
    job,
    append: (kind, events) => append(job, log, kind, events),
    learn: async () => {
      await source.endHere()
      await follow()
    },
    follow,
    stop: () => run.stop(),
    score: (rows, time) => {
      const batch = rows.map((fields) => ({ fields, time }))
      const scores = stages.learner.score(stages.encoder.encode(batch))
      return rows.map((_, row) =>
        Object.fromEntries(
          stages.tasks.map((task, t) => [task, scores[t * rows.length + row] ?? Number.NaN]),
        ),
      )
    },
    quality: () => stages.progressive.quality(),
    close: async () => {
      await open.close()
      if (ownsLog) await log.close()
    },
  }
}

async function append(
  job: Job,
  log: TopicLog,
  name: string,
  events: readonly Fields[],
): Promise<void> {
  const kind = job.events.kinds.find((one) => one.kind === name)
  if (kind === undefined) {
    const known = job.events.kinds.map((one) => one.kind).join(', ')
    throw new MillraceError('USAGE', `job ${job.name} has no kind of event ${name}`, {
      remedy: `use one of ${known}`,
    })
  }
  const codec = codecOf(job, kind)
  const [keyField = ''] = typeof kind.key === 'string' ? [kind.key] : kind.key
  const encoder = new TextEncoder()
  await log.append(
    kind.topic,
    events.map((event) => ({
      // Same key, same partition: an event and its second delivery must meet.
      key: encoder.encode(String(event[keyField])),
      value: codec.encode(event),
      timestampMs: Number(event[kind.time]) || 0,
    })),
  )
}
