/** @file `millrace doctor JOB`: how long labels take on the job's bus, what its windows lose, and which windows would lose less. */

import type { TopicLog } from '../src/broker/topic-log.ts'
import { type DelayCurve, lostShare, windowFor } from '../src/join/delay-curve.ts'
import { longestWindowMs } from '../src/join/options.ts'
import type { Job } from '../src/settings/job.ts'
import type { Clock } from '../src/time.ts'
import { decodeReads } from './epoch-stages.ts'
import { eventInputs } from './event-inputs.ts'
import { plainJoiner, wholeSource } from './join-whole.ts'
import { WriterSchemas } from './writer-schemas.ts'

/** Shares of lost labels for which a window is named. */
const SHARES = [0.05, 0.01, 0.001]

/** How much longer than the job remembers keys the doctor does, so that it can see what the job can not. */
const FURTHER = 4

/**
 * Joins everything on the bus once with a longer memory. The stream is not taken for ended: impressions that are young at its last
 * event are followed no further than that.
 */
export async function delayCurvesOf(
  job: Job,
  log: TopicLog,
  clock: Clock,
  onProgress: (records: number) => void = () => undefined,
): Promise<readonly DelayCurve[]> {
  const longest = longestWindowMs(job.join.tasks)
  const retentionMs = Math.max(job.join.retentionMs, (FURTHER - 1) * longest)
  const patient = { ...job, join: { ...job.join, retentionMs } }
  const inputs = await eventInputs(patient, log)
  const joiner = plainJoiner(patient, inputs)
  const source = await wholeSource(patient, log, clock, inputs)
  const schemas = await WriterSchemas.open(job.bus, inputs)
  let records = 0
  for (let ended = false; !ended; ) {
    const poll = await source.poll(joiner)
    await schemas.prepare(poll)
    joiner.push(decodeReads(inputs, poll))
    source.applied(poll.epoch)
    ended = poll.epoch.end
    records += poll.batches.reduce((sum, batch) => sum + batch.records.length, 0)
    onProgress(records)
  }
  // An input with nothing more to say does not hold the watermark back; the newest one ends it.
  const newest = joiner.newestTime
  const last = [...inputs.keys()].find((input) => joiner.maxTime(input) === newest)
  for (const input of inputs.keys()) if (input !== last) joiner.setIdle(input, true)
  return joiner.delayCurves()
}

/** Everything that the delays of the labels on the bus say about the job's windows, as lines. */
export function windowLines(job: Job, curves: readonly DelayCurve[]): string[] {
  const windowsMs = [...new Set(job.join.tasks.map(({ windowMs }) => windowMs))]
  return [
    ...windowAdvice(job, curves),
    ...windowsMs.sort((a, b) => a - b).map((windowMs) => lossesOf(curves, windowMs)),
  ]
}

/** One paragraph per task, as lines. */
export function windowAdvice(job: Job, curves: readonly DelayCurve[]): string[] {
  return job.join.tasks.flatMap(({ name, windowMs }) => {
    const curve = curves.find(({ task }) => task === name)
    const lost = curve === undefined ? undefined : lostShare(curve, windowMs)
    if (curve === undefined || lost === undefined) return [`${name}: no label on the bus yet`]
    const needed = SHARES.map((share) => {
      return `${percent(share)} by ${duration(windowFor(curve, share) ?? 0)}`
    })
    const half = duration(windowFor(curve, 0.5) ?? 0)
    return [
      `${name}: its window of ${duration(windowMs)} loses ${percent(lost)} of the labels that come within ${duration(curve.horizonMs)}`,
      `  ${curve.labels.toLocaleString('en-US')} labels, half of them by ${half}; still to come: ${needed.join(', ')}`,
    ]
  })
}

/** What a task's window loses, as a value; `lost_share` is null before the first label. */
export interface WindowLoss {
  readonly task: string
  readonly window_ms: number
  readonly labels: number
  readonly lost_share: number | null
  /** The windows that would lose so much. */
  readonly needed: readonly { readonly lost_share: number; readonly window_ms: number }[]
}

/** The same as `windowAdvice` for programs. */
export function windowLosses(job: Job, curves: readonly DelayCurve[]): WindowLoss[] {
  return job.join.tasks.map(({ name, windowMs }) => {
    const curve = curves.find(({ task }) => task === name)
    const lost = curve === undefined ? undefined : lostShare(curve, windowMs)
    const needed = SHARES.flatMap((share) => {
      const window = curve === undefined ? undefined : windowFor(curve, share)
      return window === undefined ? [] : [{ lost_share: share, window_ms: window }]
    })
    const labels = curve?.labels ?? 0
    return { task: name, window_ms: windowMs, labels, lost_share: lost ?? null, needed }
  })
}

/** `10 min loses 3% of like, 22% of share`: the same window for every task. */
export function lossesOf(curves: readonly DelayCurve[], windowMs: number): string {
  const losses = curves.flatMap((curve) => {
    const lost = lostShare(curve, windowMs)
    return lost === undefined ? [] : [`${percent(lost)} of ${curve.task}`]
  })
  return `${duration(windowMs)} loses ${losses.join(', ')}`
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))}%`
}

function duration(ms: number): string {
  const units = [
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ] as const
  for (const [unit, length] of units) {
    if (ms >= 2 * length || (ms >= length && ms % length === 0)) {
      return `${Number((ms / length).toPrecision(3))} ${unit}`
    }
  }
  return `${Number((ms / 1000).toPrecision(2))} s`
}
