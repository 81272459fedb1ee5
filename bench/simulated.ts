/** @file The simulated app for benches: the example's job on another bus, its events appended once, all of them joined. */

import { readFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'
import type { TopicLog } from '../src/broker/topic-log.ts'
import { MillraceError } from '../src/errors.ts'
import { type Job, parseJob } from '../src/settings/job.ts'
import type { Clock } from '../src/time.ts'
import { World } from '../src/world/world.ts'
import { type WorldInput, worldOptions } from '../src/world/world-options.ts'
import { joinWhole } from '../topology/join-whole.ts'
import { packageFile } from '../topology/package-files.ts'
import { produce } from '../topology/produce.ts'

const JOB = 'examples/simulated/job.yaml'

export const wallClock: Clock = { now: () => Date.now() }

/** The example's job with some of its sections replaced; keys as in the job file. */
export function simulatedJob(sections: Readonly<Record<string, unknown>>): Job {
  const file = packageFile(JOB)
  const settings = parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  return parseJob(file, stringify({ ...settings, ...sections }))
}

/** Appends the events of a simulated app to the topics of the job; gives how many records that were. */
export async function appendWorld(job: Job, log: TopicLog, world: WorldInput): Promise<number> {
  const events = new World(worldOptions.parse(world))
  const counts = await produce({ job, log, pull: (count) => events.pull(count), clock: wallClock })
  return [...counts.values()].reduce((sum, count) => sum + count, 0)
}

/** What a join of everything on the bus gave, and in what time. */
export interface Joined {
  readonly records: number
  readonly samples: number
  readonly seconds: number
}

/** Events per second of one such join; BAD_STATE when records are missing. */
export async function joinRate(
  job: Job,
  log: TopicLog,
  expected: number,
  say: (line: string) => void,
): Promise<number> {
  const { records, samples, seconds } = await joinAll(job, log)
  if (records !== expected) {
    throw new MillraceError('BAD_STATE', `joined ${records} of ${expected} records`)
  }
  say(`ours: ${Math.round(records / seconds)} events/s, ${samples} samples`)
  return records / seconds
}

/** Decodes, de-duplicates and joins all that is on the bus, from its start, with fresh stages. */
export async function joinAll(job: Job, log: TopicLog): Promise<Joined> {
  const started = performance.now()
  const { joiner, outputs } = await joinWhole(job, log, wallClock)
  let samples = 0
  for await (const part of outputs) samples += part.samples.length
  const seconds = (performance.now() - started) / 1000
  const records = joiner.accounting().reduce((sum, kind) => sum + kind.in, 0)
  return { records, samples, seconds }
}
