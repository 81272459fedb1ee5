/** @file `millrace produce JOB`: the simulated app appends its events to the bus of a job. */

import { formatCount } from '../src/observe/format.ts'
import { loadJob } from '../src/settings/job.ts'
import { World } from '../src/world/world.ts'
import { worldOptions } from '../src/world/world-options.ts'
import { openBus } from './bus.ts'
import { type CommandContext, printResult } from './command-context.ts'
import { produce } from './produce.ts'
import { withProgress } from './waiting.ts'

export interface ProduceCommand {
  readonly job: string
  readonly seed: number
  /** Absent: until stopped. */
  readonly impressions?: number
  /** Deliveries per second of wall clock; absent: as fast as the log takes them. */
  readonly perSecond?: number
}

export async function produceCommand(
  context: CommandContext,
  command: ProduceCommand,
): Promise<void> {
  const { seed, impressions, perSecond } = command
  const job = await loadJob(command.job)
  const log = await openBus(job.bus)
  let stopped = false
  const stop = (): void => {
    stopped = true
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    const world = new World(worldOptions.parse({ seed, impressions }))
    const counts = await withProgress(context, (waiting) =>
      produce({
        job,
        log,
        pull: (count) => world.pull(count),
        clock: context.clock,
        perSecond,
        onProgress: (appended) => waiting.show(() => `${formatCount(appended)} events appended`),
        stopped: () => stopped,
      }),
    )
    const lines = Array.from(counts, ([kind, count]) => `${kind} ${count}`)
    printResult(context, { appended: Object.fromEntries(counts) }, lines.join('\n'))
  } finally {
    await log.close()
  }
}
