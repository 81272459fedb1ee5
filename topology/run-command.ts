/** @file `millrace run JOB`: the learner of one job, until Ctrl-C or, with --exit, until the bus is read. */

import { wantsColor } from '../src/observe/progress.ts'
import type { RunReport } from '../src/observe/run-report.ts'
import { renderReport } from '../src/observe/table.ts'
import { loadJob } from '../src/settings/job.ts'
import type { CommandContext } from './command-context.ts'
import { runJob } from './run-job.ts'

export interface RunCommand {
  readonly job: string
  /** End when everything that is on the bus now was learned from. */
  readonly exit: boolean
  readonly report?: string
}

export async function runCommand(context: CommandContext, command: RunCommand): Promise<void> {
  const job = await loadJob(command.job)
  const report = await runJob({
    job,
    clock: context.clock,
    ...(command.exit ? { producerDone: Promise.resolve() } : {}),
    reportFile: command.report,
    faces: true,
    terminal: context.terminal,
  })
  printReport(context, report)
}

/** The readable tables, on standard output. */
export function printReport(context: CommandContext, report: RunReport): void {
  const color = wantsColor(context.terminal.isTTY === true, context.environment)
  context.print(renderReport(report, { color }))
}
