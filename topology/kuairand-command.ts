/** @file `millrace kuairand`: imports KuaiRand-Pure onto the embedded log, learns from it, prints the same tables. */

import { rmSync } from 'node:fs'
import { type KuairandFiles, readKuairand } from '../src/datasets/kuairand.ts'
import { MillraceError } from '../src/errors.ts'
import { formatCount } from '../src/observe/format.ts'
import { type Job, loadJob } from '../src/settings/job.ts'
import { openBus } from './bus.ts'
import type { CommandContext } from './command-context.ts'
import { stateFolder } from './open-learner.ts'
import { packageFile } from './package-files.ts'
import { produce, pullFrom } from './produce.ts'
import { printReport } from './run-command.ts'
import { runJob } from './run-job.ts'
import { withProgress } from './waiting.ts'

export interface KuairandCommand extends KuairandFiles {
  readonly job?: string
  readonly report?: string
}

export async function kuairandCommand(
  context: CommandContext,
  command: KuairandCommand,
): Promise<void> {
  const job = await loadJob(command.job ?? packageFile('examples/kuairand/job.yaml'))
  if (job.bus.kind !== 'file') {
    throw new MillraceError('USAGE', `kuairand needs a file bus, the job has ${job.bus.kind}`)
  }
  // An import is the whole log: appended to an earlier one, every event would be a duplicate.
  rmSync(job.bus.path, { recursive: true, force: true })
  rmSync(stateFolder(job), { recursive: true, force: true })
  await importKuairand(context, job, command)
  const report = await runJob({
    job,
    clock: context.clock,
    producerDone: Promise.resolve(),
    reportFile: command.report,
    faces: true,
    anyPort: true,
    terminal: context.terminal,
  })
  printReport(context, report)
}

async function importKuairand(
  context: CommandContext,
  job: Job,
  files: KuairandFiles,
): Promise<void> {
  const stream = await readKuairand(files)
  for (const { file, line, reason } of stream.badRows.slice(0, 20)) {
    context.terminal.write(`${file}:${line}: left out: ${reason}\n`)
  }
  const log = await openBus(job.bus)
  try {
    const pull = pullFrom(stream.deliveries)
    await withProgress(context, (waiting) =>
      produce({
        job,
        log,
        pull,
        clock: context.clock,
        onProgress: (appended) => waiting.show(() => `${formatCount(appended)} events appended`),
      }),
    )
  } finally {
    await log.close()
  }
  const left = stream.badRows.length
  context.terminal.write(`imported ${stream.rows} impressions, left ${left} bad rows out\n`)
}
