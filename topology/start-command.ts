/** @file `millrace start`: the simulated app in one process, the learner in this one, the embedded log between them. */

import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { MillraceError } from '../src/errors.ts'
import { loadJob } from '../src/settings/job.ts'
import type { CommandContext } from './command-context.ts'
import { stateFolder } from './open-learner.ts'
import { packageFile } from './package-files.ts'
import { printReport } from './run-command.ts'
import { runJob } from './run-job.ts'

export interface StartCommand {
  readonly job?: string
  /** End after the stated number of impressions; without a terminal that is the default. */
  readonly exit?: boolean
  readonly impressions: number
  readonly seed: number
  /** Events per second while it runs without end. */
  readonly perSecond: number
  readonly report?: string
}

/** Characters of the app's last words that an error repeats. */
const MOST_SAID = 2_000

export async function startCommand(context: CommandContext, command: StartCommand): Promise<void> {
  const file = command.job ?? packageFile('examples/simulated/job.yaml')
  const job = await loadJob(file)
  if (job.bus.kind !== 'file') {
    throw new MillraceError('USAGE', `start needs a file bus, ${file} has ${job.bus.kind}`, {
      remedy: 'use millrace produce and millrace run',
    })
  }
  const bounded = command.exit === true || context.terminal.isTTY !== true
  // Each start is a new app with a new history: what an earlier one left would not fit to it.
  rmSync(job.bus.path, { recursive: true, force: true })
  rmSync(stateFolder(job), { recursive: true, force: true })
  const pace = bounded
    ? ['--impressions', String(command.impressions)]
    : ['--per-second', String(command.perSecond)]
  const producer = spawn(
    process.execPath,
    [context.script, 'produce', file, '--seed', String(command.seed), ...pace],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const done = endOf(producer)
  // The run may fail first, and then nobody waits for the producer.
  done.catch(() => undefined)
  try {
    const report = await runJob({
      job,
      clock: context.clock,
      producerDone: done,
      reportFile: command.report,
      faces: true,
      anyPort: true,
      terminal: context.terminal,
    })
    printReport(context, report)
  } finally {
    producer.kill('SIGTERM')
  }
}

/** Resolves when the process ended well; the error is what it said last. Its lines would run into the learner's block. */
function endOf(producer: ChildProcess): Promise<void> {
  let said = ''
  producer.stderr?.on('data', (data) => {
    said = `${said}${String(data)}`.slice(-MOST_SAID)
  })
  return new Promise((resolve, reject) => {
    producer.once('error', reject)
    producer.once('close', (code, signal) => {
      if (code === 0) return resolve()
      const end = `the simulated app ended with ${signal ?? code}`
      reject(new MillraceError('IO', said === '' ? end : `${end}: ${said.trim()}`))
    })
  })
}
