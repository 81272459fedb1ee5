/** @file `millrace join JOB --output FILE`: the joined samples of everything on the bus, and which output each event went to. */

import type { Event } from '../src/events/event.ts'
import type { JoinedSample, JoinOutputs } from '../src/join/join-outputs.ts'
import { type Job, loadJob } from '../src/settings/job.ts'
import { openBus } from './bus.ts'
import type { CommandContext } from './command-context.ts'
import type { EventInput } from './event-inputs.ts'
import { joinWhole } from './join-whole.ts'
import { type NdjsonWriter, writeNdjson } from './ndjson.ts'

/** Joins once from the start of the log to its end; touches no learner state. Prints the accounting. */
export async function joinCommand(
  context: CommandContext,
  command: { readonly job: string; readonly output: string },
): Promise<void> {
  const job = await loadJob(command.job)
  const log = await openBus(job.bus)
  const output = writeNdjson(command.output)
  try {
    const { inputs, joiner, outputs } = await joinWhole(job, log, context.clock)
    for await (const part of outputs) await writeOutputs(output, { job, inputs }, part)
    for (const one of joiner.accounting()) context.print(JSON.stringify(one))
  } finally {
    await output.close()
    await log.close()
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
  for (const { event, impressionId } of outputs.joined) {
    await output.write({ ...eventRow(places, event), output: 'joined', impression: impressionId })
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
