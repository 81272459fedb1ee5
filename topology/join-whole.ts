/** @file Joins everything that is on the bus once, from the start of the log to its end as it is now; no learner, no state. */

import type { TopicLog } from '../src/broker/topic-log.ts'
import { EventJoiner } from '../src/join/event-joiner.ts'
import type { JoinOutputs } from '../src/join/join-outputs.ts'
import type { Job } from '../src/settings/job.ts'
import type { Clock } from '../src/time.ts'
import { decodeReads, takeIn } from './epoch-stages.ts'
import { type EventInput, eventInputs } from './event-inputs.ts'
import { EventSource } from './event-source.ts'
import { WriterSchemas } from './writer-schemas.ts'

/** A join under way. `accounting` is complete when `outputs` has ended. */
export interface WholeJoin {
  readonly inputs: readonly EventInput[]
  readonly joiner: EventJoiner
  readonly outputs: AsyncGenerator<JoinOutputs>
}

/** The join of a job's bus; the samples come in the order in which a learner would take them. */
export async function joinWhole(
  job: Job,
  log: TopicLog,
  clock: Clock,
  joinerOf: (inputs: readonly EventInput[]) => EventJoiner = (inputs) => plainJoiner(job, inputs),
): Promise<WholeJoin> {
  const inputs = await eventInputs(job, log)
  const joiner = joinerOf(inputs)
  const source = await wholeSource(job, log, clock, inputs)
  const schemas = await WriterSchemas.open(job.bus, inputs)
  return { inputs, joiner, outputs: outputsOf({ source, schemas, joiner, inputs }) }
}

/** All inputs from the start of the log to its end as it is now. */
export async function wholeSource(
  job: Job,
  log: TopicLog,
  clock: Clock,
  inputs: readonly EventInput[],
): Promise<EventSource> {
  const { latenessMs, idleMs } = job.events
  const source = new EventSource({
    log,
    inputs,
    clock,
    idleMs,
    maxRecords: 10_000,
    alignMs: 60_000 + latenessMs,
    // The end of every input is known here, so none can hold the watermark back for long.
    maxBuffered: Number.POSITIVE_INFINITY,
  })
  await source.endHere()
  return source
}

/** The joiner of a job that only joins. */
export function plainJoiner(job: Job, inputs: readonly EventInput[]): EventJoiner {
  const { latenessMs, dedupe } = job.events
  return new EventJoiner({ inputs, latenessMs, dedupe, join: job.join })
}

interface JoinParts {
  readonly source: EventSource
  readonly schemas: WriterSchemas
  readonly joiner: EventJoiner
  readonly inputs: readonly EventInput[]
}

async function* outputsOf(parts: JoinParts): AsyncGenerator<JoinOutputs> {
  const { source, schemas, joiner, inputs } = parts
  for (let ended = false; !ended; ) {
    const poll = await source.poll(joiner)
    await schemas.prepare(poll)
    yield* takeIn(joiner, inputs, poll.epoch, decodeReads(inputs, poll))
    source.applied(poll.epoch)
    ended = poll.epoch.end
  }
}
