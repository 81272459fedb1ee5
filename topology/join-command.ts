/** @file `millrace join JOB --output FILE`: the joined samples of everything on the bus, and which output each event went to. */

import type { TopicLog } from '../src/broker/topic-log.ts'
import type { Event } from '../src/events/event.ts'
import type { JoinedSample, JoinOutputs } from '../src/join/join-outputs.ts'
import { formatCount } from '../src/observe/format.ts'
import { wantsColor } from '../src/observe/progress.ts'
import { type RunReport, topicResults } from '../src/observe/run-report.ts'
import { renderAccounting } from '../src/observe/table.ts'
import { type Job, loadJob } from '../src/settings/job.ts'
import type { Clock } from '../src/time.ts'
import { openBus } from './bus.ts'
import { type CommandContext, printResult } from './command-context.ts'
import type { EventInput } from './event-inputs.ts'
import { joinWhole } from './join-whole.ts'
import { type NdjsonWriter, writeNdjson } from './ndjson.ts'
import { type Waiting, withProgress } from './waiting.ts'

/** Joins once from the start of the log to its end; touches no learner state. Prints the accounting. */
export async function joinCommand(
  context: CommandContext,
  command: { readonly job: string; readonly output: string },
): Promise<void> {
  const job = await loadJob(command.job)
  const log = await openBus(job.bus)
  try {
    const joined = await withProgress(context, (waiting) =>
      joinInto(command.output, { job, log, clock: context.clock, waiting }),
    )
    const color = wantsColor(context.terminal.isTTY === true, context.environment)
    const table = renderAccounting(joined.accounting, { color })
    printResult(context, joined, `${table}\nsamples       ${formatCount(joined.samples)}`)
  } finally {
    await log.close()
  }
}

interface JoinParts {
  readonly job: Job
  readonly log: TopicLog
  readonly clock: Clock
  readonly waiting: Waiting
}

/** Writes everything that the join gives to the file. */
async function joinInto(
  path: string,
  { job, log, clock, waiting }: JoinParts,
): Promise<{ readonly samples: number; readonly accounting: RunReport['accounting'] }> {
  const output = writeNdjson(path)
  let samples = 0
  try {
    const { inputs, joiner, outputs } = await joinWhole(job, log, clock)
    for await (const part of outputs) {
      await writeOutputs(output, { job, inputs }, part)
      samples += part.samples.length
      waiting.show(() => `${formatCount(samples)} samples joined`)
    }
    return { samples, accounting: topicResults(joiner.accounting()) }
  } finally {
    await output.close()
  }
}

interface Places {
  readonly job: Job
  readonly inputs: readonly EventInput[]
}

async function writeOutputs(
  output: NdjsonWriter,
  places: Places,
  outputs: JoinOutputs,
): Promise<void> {
  for (const sample of outputs.samples) await output.write(sampleRow(places.job, sample))
  for (const { event, impression } of outputs.joined) {
    await output.write({ ...eventRow(places, event), output: 'joined', impression: impression.id })
  }
  for (const event of outputs.duplicates) {
    await output.write({ ...eventRow(places, event), output: 'duplicate' })
  }
  for (const { event, reason } of outputs.late) {
    await output.write({ ...eventRow(places, event), output: 'late', reason })
  }
  for (const event of outputs.orphans) {
    await output.write({ ...eventRow(places, event), output: 'orphan' })
  }
  for (const { source, reason, detail } of outputs.deadLetters) {
    const place = placeOf(places.inputs, source)
    await output.write({ row: 'event', ...place, output: 'dead-letter', reason, detail })
  }
}

/** Labels and masks by task name; a label that is not known in this row is null. */
function sampleRow({ join }: Job, sample: JoinedSample): object {
  const { id, key, time, maturedAt, labels, mask } = sample
  const known = join.tasks.map(({ name }, task) => [name, mask[task] === 1])
  const values = join.tasks.map(({ name }, task) => [
    name,
    mask[task] === 1 ? (labels[task] ?? null) : null,
  ])
  return {
    row: 'sample',
    id,
    key,
    time,
    matured_at: maturedAt,
    labels: Object.fromEntries(values),
    mask: Object.fromEntries(known),
  }
}

function eventRow({ inputs }: Places, { kind, id, key, time, source }: Event): object {
  return { row: 'event', kind, id, key, time, ...placeOf(inputs, source) }
}

function placeOf(inputs: readonly EventInput[], source: Event['source']): object {
  const { topic, partition } = inputs[source.input] ?? {}
  return { topic, partition, offset: source.offset }
}
