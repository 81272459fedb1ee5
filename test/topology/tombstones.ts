/** @file Tombstones in the events of a test job: the kind that a job declares, and appending some. */

import { resolve } from 'node:path'
import type { TopicLog } from '../../src/broker/topic-log.ts'
import type { Job } from '../../src/settings/job.ts'
import { codecOf } from '../../topology/event-inputs.ts'
import { openJobLog } from './temporary-job.ts'

/** The same job with a kind of tombstones; `text` has its kinds one per line. */
export function withTombstones(text: string): string {
  const line = `    - { kind: erasure, topic: erasures, schema: ${resolve('schemas')}/erasure.avsc, time: event_time, key: user_id, erases: user_id }`
  return text.replace(/(\n {4}- \{ kind: impression)/, `\n${line}$1`)
}

/** `after`: milliseconds of event time behind the first visit of the simulated app. */
export async function appendTombstones(
  job: Job,
  log: TopicLog,
  users: readonly { readonly user: string; readonly after: number }[],
): Promise<void> {
  const kind = job.events.kinds.find(({ erases }) => erases !== undefined)
  if (kind === undefined) throw new Error('the job has no tombstones')
  const codec = codecOf(job, kind)
  const records = users.map(({ user, after }, n) => ({
    key: new TextEncoder().encode(user),
    value: codec.encode({
      event_id: `erasure-${n}`,
      user_id: user,
      event_time: 1_772_431_200_000 + after,
    }),
    timestampMs: 0,
  }))
  await log.append(kind.topic, records)
}

/** The same onto the bus of a job that nobody has open. */
export async function addTombstones(
  job: Job,
  users: Parameters<typeof appendTombstones>[2],
): Promise<void> {
  const log = await openJobLog(job)
  await appendTombstones(job, log, users)
  await log.close()
}
