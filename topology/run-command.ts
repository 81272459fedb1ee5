/** @file `millrace run JOB`: one job, whole or one role of it, until Ctrl-C or, with --exit, until the bus is read. */

import { MillraceError } from '../src/errors.ts'
import { formatCount } from '../src/observe/format.ts'
import { wantsColor } from '../src/observe/progress.ts'
import type { RunReport } from '../src/observe/run-report.ts'
import { renderAccounting, renderReport } from '../src/observe/table.ts'
import { type Job, loadJob } from '../src/settings/job.ts'
import { type CommandContext, printResult } from './command-context.ts'
import { trainerRole, WHOLE_JOB } from './learner-role.ts'
import { runJob } from './run-job.ts'
import { runJoiner } from './run-joiner.ts'
import type { Share } from './sample-inputs.ts'

export interface RunCommand {
  readonly job: string
  /** End when everything that is on the bus now was learned from. */
  readonly exit?: boolean
  readonly report?: string
  /** What this process does of the job. */
  readonly role: 'all' | 'joiner' | 'trainer'
  /** Of several trainers, which this is. */
  readonly share?: Share
}

export async function runCommand(context: CommandContext, command: RunCommand): Promise<void> {
  if (command.share !== undefined && command.role !== 'trainer') {
    throw new MillraceError('USAGE', `--share is of trainers, this is ${command.role}`, {
      remedy: 'joiners share by themselves; add --role trainer, or leave --share out',
    })
  }
  const job = await loadJob(command.job)
  if (command.role === 'joiner') return joinerCommand(context, command, job)
  const report = await runJob({
    job,
    clock: context.clock,
    ...(command.exit ? { producerDone: Promise.resolve() } : {}),
    reportFile: command.report,
    faces: true,
    // Nobody scrapes a run that ends by itself: a busy port must not stop it.
    anyPort: command.exit === true,
    terminal: context.terminal,
    role: command.role === 'trainer' ? trainerRole(command.share) : WHOLE_JOB,
  })
  printReport(context, report)
}

async function joinerCommand(
  context: CommandContext,
  command: RunCommand,
  job: Job,
): Promise<void> {
  const report = await runJoiner({
    job,
    clock: context.clock,
    untilEnd: command.exit === true,
    reportFile: command.report,
  })
  const color = wantsColor(context.terminal.isTTY === true, context.environment)
  const { samples, shards, events_per_second: pace } = report
  const lines = [
    renderAccounting(report.accounting, { color }),
    `samples       ${formatCount(samples)} of the shards ${shards.join(', ') || 'none'}`,
    `events        ${formatCount(pace)}/s`,
  ]
  printResult(context, report, lines.join('\n'))
}

/** The readable tables, on standard output. */
export function printReport(context: CommandContext, report: RunReport): void {
  const color = wantsColor(context.terminal.isTTY === true, context.environment)
  printResult(context, report, renderReport(report, { color }))
}
