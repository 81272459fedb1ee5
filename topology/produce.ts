/** @file Events from a source that has them as values (the simulated app, a data set) onto the bus of a job. */

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { OutgoingRecord, TopicLog } from '../src/broker/topic-log.ts'
import type { Delivery } from '../src/delivery.ts'
import { MillraceError } from '../src/errors.ts'
import type { Job } from '../src/settings/job.ts'
import type { Clock } from '../src/time.ts'
import type { AvroCodec } from '../src/wire/avro-codec.ts'
import { damageBytes } from '../src/world/damage.ts'
import { codecOf, createEventTopics } from './event-inputs.ts'

/** Gives the next deliveries, an empty list at the end. */
export type PullDeliveries = (count: number) => readonly Delivery[]

export interface ProduceOptions {
  readonly job: Job
  readonly log: TopicLog
  readonly pull: PullDeliveries
  readonly clock: Clock
  /** Deliveries per second of wall clock; undefined: as fast as the log takes them. */
  readonly perSecond?: number | undefined
  /** Called with the deliveries appended so far. */
  readonly onProgress?: (appended: number) => void
  readonly stopped?: () => boolean
}

const BATCH = 2_000

/** Appends until the source ends or the call is stopped; returns how many deliveries of each kind were appended. */
export async function produce(options: ProduceOptions): Promise<ReadonlyMap<string, number>> {
  const { job, log, pull, clock, perSecond, stopped = () => false } = options
  await createEventTopics(job, log)
  const routes = routesOf(job)
  const counts = new Map<string, number>()
  const startedMs = clock.now()
  let appended = 0
  while (!stopped()) {
    const batch =
      perSecond === undefined ? BATCH : Math.max(1, Math.min(BATCH, Math.ceil(perSecond / 20)))
    const deliveries = pull(batch)
    if (deliveries.length === 0) break
    await append(log, routes, deliveries)
    for (const { kind } of deliveries) counts.set(kind, (counts.get(kind) ?? 0) + 1)
    appended += deliveries.length
    options.onProgress?.(appended)
    const aheadMs =
      perSecond === undefined ? 0 : (appended / perSecond) * 1000 - (clock.now() - startedMs)
    // An append to files never lets go of the event loop: a signal to stop would not be heard.
    await (aheadMs > 0 ? sleep(aheadMs) : nextTurn())
  }
  return counts
}

interface Route {
  readonly topic: string
  readonly codec: AvroCodec
}

function routesOf(job: Job): ReadonlyMap<string, Route> {
  return new Map(
    job.events.kinds.map((kind) => [kind.kind, { topic: kind.topic, codec: codecOf(job, kind) }]),
  )
}

async function append(
  log: TopicLog,
  routes: ReadonlyMap<string, Route>,
  deliveries: readonly Delivery[],
): Promise<void> {
  const byTopic = new Map<string, OutgoingRecord[]>()
  for (const { kind, key, value, timestampMs, damage } of deliveries) {
    const route = routes.get(kind)
    // A data set may hold kinds that the job does not use.
    if (route === undefined) continue
    const framed = route.codec.encode(value)
    const record = {
      key,
      value: damage === undefined ? framed : damageBytes(framed, damage),
      timestampMs,
    }
    const records = byTopic.get(route.topic)
    if (records === undefined) byTopic.set(route.topic, [record])
    else records.push(record)
  }
  for (const [topic, records] of byTopic) await log.append(topic, records)
}

/** A list or generator of deliveries, pulled in pieces. */
export function pullFrom(deliveries: Iterable<Delivery>): PullDeliveries {
  const iterator = deliveries[Symbol.iterator]()
  return (count) => {
    if (count < 1) throw new MillraceError('USAGE', `asked for ${count} deliveries`)
    const pulled: Delivery[] = []
    while (pulled.length < count) {
      const next = iterator.next()
      if (next.done === true) break
      pulled.push(next.value)
    }
    return pulled
  }
}
