/** @file Runs a joiner as a process does: metrics, log lines, signals, and the report at the end. */

import { writeFile } from 'node:fs/promises'
import { lastValueFrom, tap } from 'rxjs'
import { History } from '../src/observe/history.ts'
import { historyPoint } from '../src/observe/history-point.ts'
import { createLog, type Log } from '../src/observe/log.ts'
import { readPageAssets } from '../src/observe/page-assets.ts'
import { Progressive } from '../src/observe/progressive.ts'
import { MetricsRegistry } from '../src/observe/registry.ts'
import type { Job } from '../src/settings/job.ts'
import type { Clock } from '../src/time.ts'
import { openBus } from './bus.ts'
import { joinerRounds } from './joiner.ts'
import { type JoinerReport, joinerEpochReport, joinerReport } from './joiner-report.ts'
import { JoinerRun } from './joiner-run.ts'
import { packageFile, packageVersion } from './package-files.ts'
import { StatusBoard } from './status-board.ts'

export interface RunJoinerOptions {
  readonly job: Job
  readonly clock: Clock
  /** End when the shards that are held are read. */
  readonly untilEnd: boolean
  readonly reportFile?: string | undefined
}

const PAGE_EVERY_MS = 1_000
const LOG_EVERY_MS = 5_000

/** Runs until the stream ends or a signal arrives; a signal ends the round under way, saves and hands over. */
export async function runJoiner(options: RunJoinerOptions): Promise<JoinerReport> {
  const { job, clock, untilEnd } = options
  const lines = createLog({ level: job.observe.log, clock })
  const log = await openBus(job.bus)
  try {
    const run = await JoinerRun.open({
      job,
      log,
      clock,
      untilEnd,
      onChange: ({ shard, change }) => lines.info({ shard }, `shard ${change}`),
    })
    const started = clock.now()
    const results = await follow(options, run, lines)
    const seconds = Math.max(0.001, (clock.now() - started) / 1000)
    const report = joinerReport(run, results.records / seconds)
    await run.close()
    if (options.reportFile !== undefined) {
      await writeFile(options.reportFile, `${JSON.stringify(report, undefined, 2)}\n`)
    }
    return report
  } finally {
    await log.close()
  }
}

/** The rounds, until the end of the stream or a signal; a second signal does not wait for the round under way. */
async function follow(
  { job, clock }: RunJoinerOptions,
  run: JoinerRun,
  lines: Log,
): Promise<{ readonly records: number }> {
  const stop = (): void => {
    if (run.stopping) process.exit(130)
    run.stop()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  const faces = await openFaces(job, clock, run)
  let shown = clock.now()
  const show = async (): Promise<void> => {
    if (clock.now() - shown < LOG_EVERY_MS) return
    shown = clock.now()
    const { events, samples, lag } = await faces.look()
    const shards = run.shards.map(({ number }) => number)
    lines.info({ shards, events, samples, lag }, 'joining')
  }
  try {
    await lastValueFrom(joinerRounds(run).pipe(tap(() => void show())))
    return { records: run.records }
  } finally {
    await faces.close()
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

interface JoinerFaces {
  look(): Promise<{ readonly events: number; readonly samples: number; readonly lag: number }>
  close(): Promise<void>
}

/** HTTP, whose figures are looked up when they are asked for. */
async function openFaces(job: Job, clock: Clock, run: JoinerRun): Promise<JoinerFaces> {
  const tasks = job.join.tasks.map((task) => task.name)
  const registry = new MetricsRegistry({ tasks, version: packageVersion() })
  const facts = { job: job.name, engine: 'none', engineReason: 'a joiner does not learn' }
  const progressive = new Progressive({ tasks, window: job.observe.window })
  const board = new StatusBoard(facts, progressive, clock)
  const look = async () => {
    const report = await joinerEpochReport(run)
    registry.record(report)
    board.record(report)
    const { events, samples, lagRecords: lag } = board.status()
    return { events, samples, lag }
  }
  const { host, port, enabled } = job.observe.http
  if (!enabled) return { look, close: async () => undefined }
  const { serveHttp } = await import('../src/observe/http.ts')
  const history = new History()
  const server = await serveHttp({
    registry,
    status: () => board.status(),
    history,
    page: readPageAssets(packageFile('dist/web')),
    ready: () => run.shards.length > 0,
    host,
    port,
  })
  const tick = async (): Promise<void> => {
    await look()
    const status = board.status()
    history.record(status.at, historyPoint(status))
    server.push()
  }
  const timer = setInterval(() => void tick(), PAGE_EVERY_MS)
  return {
    look,
    close: async () => {
      clearInterval(timer)
      await server.close()
    },
  }
}
