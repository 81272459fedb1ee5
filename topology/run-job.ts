/** @file Runs a job's learner as a process does: engine, HTTP face, progress, signals, and the report at the end. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lastValueFrom } from 'rxjs'
import type { TopicLog } from '../src/broker/topic-log.ts'
import { messageOf } from '../src/errors.ts'
import type { History } from '../src/observe/history.ts'
import type { HttpServer } from '../src/observe/http.ts'
import { createLog, type Log } from '../src/observe/log.ts'
import { readPageAssets } from '../src/observe/page-assets.ts'
import { type Progress, terminalProgress, wantsColor } from '../src/observe/progress.ts'
import { MetricsRegistry } from '../src/observe/registry.ts'
import type { Report, VerdictReport } from '../src/observe/report.ts'
import { type RunReport, runReport } from '../src/observe/run-report.ts'
import type { Job } from '../src/settings/job.ts'
import { type EngineChoice, openEngine } from '../src/tensors/engine-choice.ts'
import type { Clock } from '../src/time.ts'
import { armFigures } from './arms-report.ts'
import { openBus } from './bus.ts'
import { driftReport } from './drift-report.ts'
import { delayedLog, labelReports } from './label-report.ts'
import { learnerEpochs } from './learner.ts'
import type { LearnerRole } from './learner-role.ts'
import { type OpenLearner, openLearner, stateFolder } from './open-learner.ts'
import { packageFile, packageVersion } from './package-files.ts'
import { StatusBoard } from './status-board.ts'
import { startWatch } from './watch.ts'

/** How a run behaves around the learner. */
export interface RunOptions {
  readonly job: Job
  readonly clock: Clock
  /** End when everything on the bus was learned from; resolves when the producer is done. Absent: run until stopped. */
  readonly producerDone?: Promise<unknown>
  readonly reportFile?: string | undefined
  /** Serve HTTP and show progress. */
  readonly faces: boolean
  /** Take a free port when the job's is busy: for demonstrations, where no scraper expects the port. */
  readonly anyPort?: boolean
  readonly terminal: NodeJS.WriteStream
  /** Default: the whole job. */
  readonly role?: LearnerRole
}

const SHOW_EVERY_MS = 250
const LOG_EVERY_MS = 5_000

/** Runs until the stream ends or a signal arrives; a signal drains the epoch under way and checkpoints. Returns the report. */
export async function runJob(options: RunOptions): Promise<RunReport> {
  const { job } = options
  const choice = await openEngine(job.train.engine)
  const log = await openBus(job.bus)
  try {
    return await runWith(options, choice, log)
  } finally {
    await log.close()
  }
}

async function runWith(
  options: RunOptions,
  choice: EngineChoice,
  log: TopicLog,
): Promise<RunReport> {
  const { job, clock } = options
  const lines = createLog({ level: job.observe.log, clock })
  const registry = new MetricsRegistry({
    tasks: job.join.tasks.map((task) => task.name),
    version: packageVersion(),
  })
  const sinks: ((report: Report) => void)[] = [(report) => registry.record(report)]
  const report = (one: Report): void => {
    for (const sink of sinks) sink(one)
  }
  const learner = await openLearner({
    job,
    log,
    engine: choice.engine,
    clock,
    report,
    ...(options.role === undefined ? {} : { role: options.role }),
  })
  const { stages } = learner.run.context
  const facts = { job: job.name, engine: choice.name, engineReason: choice.reason }
  const board = new StatusBoard(facts, stages.progressive, clock)
  sinks.push((one) => board.record(one))
  // On a terminal the block says it.
  if (!options.terminal.isTTY || !options.faces) sinks.push((one) => logNews(lines, one))
  report({ kind: 'engine', engine: choice.name, reason: choice.reason })
  const faces = options.faces
    ? await openFaces(options, { registry, board, learner, lines })
    : undefined
  const started = clock.now()
  const samplesBefore = stages.learner.samples
  try {
    await follow(options, learner)
  } finally {
    await faces?.close()
    await learner.close()
  }
  const seconds = Math.max(0.001, (clock.now() - started) / 1000)
  const results = runReport({
    predictions: stages.predictions.report(job.train.report_skip),
    delayed: delayedLog(stages).report(job.train.report_skip),
    accounting: stages.intake.accounting(),
    drift: driftReport(stages),
    arms: armFigures(stages),
    versions: versionsOf(stages.publisher.sequence, job.publish.full_every),
    engine: { name: choice.name, reason: choice.reason },
    samples: stages.learner.samples,
    samplesPerSecond: Math.round((stages.learner.samples - samplesBefore) / seconds),
    stateSha256: learner.run.stateHash(),
  })
  if (options.reportFile !== undefined) {
    await writeFile(options.reportFile, `${JSON.stringify(results, undefined, 2)}\n`)
  }
  return results
}

/** What somebody should know who only reads the log. */
function logNews(lines: Log, report: Report): void {
  if (report.kind === 'verdict') logVerdict(lines, report)
  if (report.kind !== 'drift') return
  for (const { task, signal, detector, at, before, after } of report.raised) {
    const when = new Date(at).toISOString()
    const figures = { before: readable(before), after: readable(after) }
    lines.warn({ task, signal, detector, event_time: when, ...figures }, `the ${signal} moved`)
  }
}

function logVerdict(lines: Log, report: VerdictReport): void {
  if (report.outcome === 'published') return
  const { sequence, findings, heldInRow } = report
  for (const { rule, subject, message } of findings) {
    lines.warn(
      { version: sequence, rule, subject, held_in_row: heldInRow },
      `held back: ${message}`,
    )
  }
}

/** The epochs, until the end of the stream or a signal; a second signal does not wait for the epoch under way. */
async function follow({ producerDone }: RunOptions, learner: OpenLearner): Promise<void> {
  const stop = (): void => {
    if (learner.run.stopping) process.exit(130)
    learner.run.stop()
  }
  // `on`, not `once`: the terminal block's library ends the process when it finds no other listener.
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  const failed = producerDone?.then(() => learner.source.endHere())
  try {
    const ran = lastValueFrom(learnerEpochs(learner.run))
    // A producer that fails ends the run with its error.
    await (failed === undefined ? ran : Promise.race([ran, failed.then(() => ran)]))
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

interface FaceParts {
  readonly registry: MetricsRegistry
  readonly board: StatusBoard
  readonly learner: OpenLearner
  readonly lines: Log
}

/** HTTP, and a live block on a terminal or log lines without one. */
async function openFaces(
  options: RunOptions,
  parts: FaceParts,
): Promise<{ close(): Promise<void> }> {
  const { terminal } = options
  const { registry, board, lines, learner } = parts
  const watch = startWatch({
    board,
    registry,
    lines,
    file: join(stateFolder(options.job), 'page-history.json'),
  })
  const server = await openHttp(options, parts, watch.history)
  board.metricsUrl = server?.url
  let looks = 0
  watch.onLook = () => {
    const { stages } = learner.run.context
    // Costs as much as there are open impressions: not at every look.
    if (looks++ % 10 === 0) {
      for (const one of [...labelReports(options.job, stages), driftReport(stages)]) {
        registry.record(one)
        board.record(one)
      }
      const arms = armFigures(stages)
      if (arms !== undefined) registry.record({ kind: 'arms', arms })
    }
    server?.push()
  }
  const show = terminal.isTTY ? showBlock(terminal) : showLines(lines)
  const tick = (): void => show.show(board.status())
  const timer = setInterval(tick, terminal.isTTY ? SHOW_EVERY_MS : LOG_EVERY_MS)
  return {
    close: async () => {
      clearInterval(timer)
      if (terminal.isTTY) tick()
      show.finish()
      watch.close()
      await server?.close()
    },
  }
}

async function openHttp(
  { job, anyPort = false }: RunOptions,
  { registry, board, learner, lines }: FaceParts,
  history: History,
): Promise<HttpServer | undefined> {
  const { host, port, enabled } = job.observe.http
  if (!enabled) return undefined
  // Loaded here, because a run without HTTP starts twice as fast without it.
  const { serveHttp } = await import('../src/observe/http.ts')
  const served = {
    registry,
    status: () => board.status(),
    history,
    page: readPageAssets(packageFile('dist/web')),
    ready: () => learner.resumed || board.versions.published > 0,
    host,
  }
  try {
    return await serveHttp({ ...served, port })
  } catch (thrown) {
    if (!anyPort) throw thrown
    lines.warn({ port, reason: messageOf(thrown) }, 'the port is busy, taking a free one')
    return serveHttp({ ...served, port: 0 })
  }
}

function showBlock(terminal: NodeJS.WriteStream): Progress {
  return terminalProgress(terminal, { color: wantsColor(true, process.env) })
}

function showLines(lines: Log): Progress {
  return {
    show: (status) => {
      const { events, samples, eventsPerSecond, samplesPerSecond, version, lagRecords } = status
      const auc = Object.fromEntries(
        status.tasks.map(({ task, window }) => [task, readable(window.auc)]),
      )
      const pace = {
        events_per_s: readable(eventsPerSecond),
        samples_per_s: readable(samplesPerSecond),
      }
      const where = { version: version?.sequence, lag: lagRecords, page: status.metricsUrl }
      lines.info({ events, samples, ...pace, auc, ...where }, 'learning')
    },
    finish: () => undefined,
  }
}

/** Four digits: a line in a log is for people. */
function readable(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value.toPrecision(4))
}

/** Of all lives together: one update in `fullEvery` is full, the first one included. */
function versionsOf(published: number, fullEvery: number): RunReport['versions'] {
  const fulls = Math.ceil(published / fullEvery)
  return { published, fulls, deltas: published - fulls }
}
