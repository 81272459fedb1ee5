/** @file What a bounded world delivers, and what an ideal joiner would make of it. */

import type { Delivery } from '../../src/delivery.ts'
import { WORLD_TASKS } from '../../src/world/tasks.ts'
import { World } from '../../src/world/world.ts'
import { type WorldOptions, worldOptions } from '../../src/world/world-options.ts'

export function deliveriesOf(options: WorldOptions, batch = 1000): Delivery[] {
  const world = new World(options)
  const all: Delivery[] = []
  for (;;) {
    const batchOf = world.pull(batch)
    if (batchOf.length === 0) return all
    for (const delivery of batchOf) all.push(delivery)
  }
}

/** A world without any disturbance: the plain facts. */
export function calm(options: Parameters<typeof worldOptions.parse>[0] & object): WorldOptions {
  const disturbances = { duplicate: 0, late: 0, malformed: 0, orphan: 0 }
  return worldOptions.parse({ ...options, disturbances })
}

export function text(delivery: Delivery, field: string): string {
  return String(delivery.value[field])
}

export function number(delivery: Delivery, field: string): number {
  return Number(delivery.value[field])
}

export interface Labelled {
  readonly id: string
  readonly timeMs: number
  /** The impression's fields. */
  readonly fields: Delivery['value']
  /** 0 or 1 in the order of `WORLD_TASKS`. */
  readonly labels: number[]
}

/** Every sound impression that came in time, with the actions that came inside the windows, in order of event time. */
export function joined(deliveries: readonly Delivery[], options: WorldOptions): Labelled[] {
  const rows = new Map<string, Labelled>()
  const actions: { delivery: Delivery; timeMs: number; task: number }[] = []
  for (const delivery of deliveries) {
    const timeMs = number(delivery, 'event_time')
    const isLate = delivery.timestampMs - timeMs > options.lateness_ms
    if (delivery.damage !== undefined || isLate) continue
    const task = (WORLD_TASKS as readonly string[]).indexOf(delivery.kind)
    if (task >= 0) actions.push({ delivery, timeMs, task })
    else {
      const id = text(delivery, 'impression_id')
      rows.set(id, { id, timeMs, fields: delivery.value, labels: WORLD_TASKS.map(() => 0) })
    }
  }
  for (const { delivery, timeMs, task } of actions) {
    const row = rows.get(text(delivery, 'impression_id'))
    const window = options.delays[WORLD_TASKS[task] ?? 'click'].within_ms
    if (row !== undefined && timeMs - row.timeMs <= window) row.labels[task] = 1
  }
  return [...rows.values()].sort((a, b) => a.timeMs - b.timeMs)
}
