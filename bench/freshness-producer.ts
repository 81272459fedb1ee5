/** @file The producer of the freshness bench, a process of its own: the simulated app in real time, so many events a second. */

import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { openFileLog } from '../src/broker/file-log/file-log.ts'
import type { Delivery } from '../src/delivery.ts'
import { World } from '../src/world/world.ts'
import { worldOptions } from '../src/world/world-options.ts'
import { codecOf } from '../topology/event-inputs.ts'
import { simulatedJob } from './simulated.ts'

/** With its actions an impression is about 1.44 events: 5,000 a second. */
const IMPRESSIONS_PER_SECOND = 3_500
const TICK_MS = 10
/** A visit takes up to a minute: so long after its start the world has as many under way as ever. */
const RAMP_MS = 60_000

const [path = ''] = process.argv.slice(2)
let stopped = false
let appended = 0

/** Appends every delivery at its time. */
async function run(): Promise<void> {
  const job = simulatedJob({ bus: { kind: 'file', path, partitions: 2 } })
  const log = await openFileLog({ path })
  const routes = new Map(
    job.events.kinds.map((kind) => [kind.topic, { kind: kind.kind, codec: codecOf(job, kind) }]),
  )
  const world = new World(
    worldOptions.parse({
      start_ms: Date.now() - RAMP_MS,
      impressions_per_second: IMPRESSIONS_PER_SECOND,
      lateness_ms: 100,
      delays: {
        click: { median_ms: 500, within_ms: 2_000 },
        like: { median_ms: 800, within_ms: 3_000 },
        share: { median_ms: 1_500, within_ms: 5_000 },
      },
    }),
  )
  const take = dueFrom(world)
  // Before the bench: nobody gets to see them.
  take(Date.now())
  while (!stopped) {
    const deliveries = take(Date.now())
    appended += deliveries.length
    for (const [topic, { kind, codec }] of routes) {
      const records = deliveries
        .filter((delivery) => delivery.kind === kind && delivery.damage === undefined)
        .map(({ key, value, timestampMs }) => ({ key, value: codec.encode(value), timestampMs }))
      if (records.length > 0) await log.append(topic, records)
    }
    await sleep(TICK_MS)
  }
  await log.close()
}

/** Gives the deliveries that are due by a time. */
function dueFrom(world: World): (now: number) => Delivery[] {
  let next: Delivery | undefined
  return (now) => {
    const deliveries: Delivery[] = []
    for (;;) {
      next ??= world.pull(1)[0]
      if (next === undefined || next.timestampMs > now) return deliveries
      deliveries.push(next)
      next = undefined
    }
  }
}

let running: Promise<void> | undefined
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'start') running = run()
  else stopped = true
  if (stopped) await running
  process.stdout.write(`${JSON.stringify({ appended })}\n`)
}
