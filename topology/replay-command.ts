/** @file `millrace replay JOB`: what would have been, had another job learned from the same events, or had fresh weights come later. */

import { writeFile } from 'node:fs/promises'
import { MillraceError } from '../src/errors.ts'
import { formatCount } from '../src/observe/format.ts'
import { type PairedDifference, pairedDifference } from '../src/observe/paired-difference.ts'
import { type Job, loadJob } from '../src/settings/job.ts'
import { openEngine } from '../src/tensors/engine-choice.ts'
import { END_OF_TIME, type EventTime, START_OF_TIME, writtenTime } from '../src/time.ts'
import { openBus } from './bus.ts'
import { type CommandContext, printResult } from './command-context.ts'
import { type ReplayArm, type Replayed, replay } from './replay.ts'
import { withProgress } from './waiting.ts'

export interface ReplayCommand {
  readonly job: string
  /** Event times: ISO 8601 or Unix ms. */
  readonly from?: string
  readonly to?: string
  /** The other job. */
  readonly against?: string
  /** Comma-separated delays of fresh weights, such as `0s,60s,1h,frozen`. */
  readonly sync?: string
  readonly report?: string
}

/** One arm against the first, on one task. */
export interface ReplayResult extends PairedDifference {
  readonly arm: string
  readonly against: string
  readonly task: string
}

/** One line per arm and task: the difference to the first arm with its interval. */
export async function replayCommand(
  context: CommandContext,
  command: ReplayCommand,
): Promise<void> {
  const stream = await loadJob(command.job)
  const arms = await armsOf(stream, command)
  const from = timeOf(command.from, START_OF_TIME)
  const to = timeOf(command.to, END_OF_TIME)
  const { engine } = await openEngine(stream.train.engine)
  const log = await openBus(stream.bus)
  try {
    const { clock } = context
    const replayed = await withProgress(context, (waiting) => {
      const onProgress = (samples: number, of: number): void =>
        waiting.show(() => `${formatCount(samples)} of ${formatCount(of)} samples`)
      return replay({ stream, arms, log, engine, clock, from, to, onProgress })
    })
    const results = differences(replayed)
    printResult(context, results, results.map(lineOf).join('\n'))
    if (command.report !== undefined) {
      await writeFile(command.report, `${JSON.stringify(results, undefined, 2)}\n`)
    }
  } finally {
    await log.close()
  }
}

async function armsOf(job: Job, { job: file, against, sync }: ReplayCommand): Promise<ReplayArm[]> {
  if ((against === undefined) === (sync === undefined)) {
    throw new MillraceError('USAGE', 'replay compares with another job or with later weights', {
      remedy: 'give either --against OTHER_JOB or --sync 0s,60s,1h,frozen',
    })
  }
  if (against !== undefined) {
    return [
      { name: file, job, syncMs: 0 },
      { name: against, job: await loadJob(against), syncMs: 0 },
    ]
  }
  const names = (sync ?? '').split(',').map((name) => name.trim())
  return ['0s', ...names.filter((name) => name !== '0s')].map((name) => {
    return { name, job, syncMs: syncMs(name) }
  })
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/** `60s`, `5m`, `24h` or `frozen` as ms; USAGE for anything else. */
export function syncMs(text: string): number {
  if (text === 'frozen') return Number.POSITIVE_INFINITY
  const match = /^(\d+(?:\.\d+)?)(s|m|h)$/.exec(text)
  if (match === null) {
    throw new MillraceError('USAGE', `--sync has ${JSON.stringify(text)}`, {
      remedy: 'write durations such as 0s, 60s, 1h, 24h, or frozen',
    })
  }
  return Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0)
}

function timeOf(text: string | undefined, otherwise: EventTime): EventTime {
  if (text === undefined) return otherwise
  const time = writtenTime(/^\d+$/.test(text) ? Number(text) : text)
  if (time !== undefined) return time
  throw new MillraceError('USAGE', `${JSON.stringify(text)} is no time`, {
    remedy: 'write ISO 8601 with a zone, such as 2026-03-02T08:00:00Z, or Unix milliseconds',
  })
}

/** Every further arm against the first. */
export function differences([first, ...others]: readonly Replayed[]): ReplayResult[] {
  if (first === undefined) return []
  return others.flatMap(({ name, tasks }) =>
    tasks.flatMap(({ task, probabilities, labels }, index) => {
      const base = first.tasks[index]
      if (base === undefined) return []
      if (labels.length !== base.labels.length) {
        throw new MillraceError('BAD_STATE', `${name} judged ${labels.length} rows of ${task}`)
      }
      const difference = pairedDifference(base.probabilities, probabilities, labels)
      return [{ arm: name, against: first.name, task, ...difference }]
    }),
  )
}

function lineOf({ arm, against, task, impressions, ...found }: ReplayResult): string {
  const { logloss, loglossInterval, auc, aucInterval } = found
  const loss = `log loss ${signed(logloss, 5)} [${signed(loglossInterval.low, 5)}, ${signed(loglossInterval.high, 5)}]`
  const rank =
    auc === undefined || aucInterval === undefined
      ? 'AUC -'
      : `AUC ${signed(auc, 4)} [${signed(aucInterval.low, 4)}, ${signed(aucInterval.high, 4)}]`
  return `${arm} against ${against}, ${task}: ${loss}, ${rank} over ${formatCount(impressions)} impressions`
}

function signed(value: number, digits: number): string {
  return `${value >= 0 ? '+' : ''}${value.toFixed(digits)}`
}
