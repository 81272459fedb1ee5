/** @file Jobs in a temporary folder: the simulated example with its bus and state moved there and its settings made small. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'
import { openFileLog } from '../../src/broker/file-log/file-log.ts'
import type { TopicLog } from '../../src/broker/topic-log.ts'
import { type Job, parseJob } from '../../src/settings/job.ts'
import { World } from '../../src/world/world.ts'
import { worldOptions } from '../../src/world/world-options.ts'
import { produce } from '../../topology/produce.ts'

/** A folder that goes away with the test, or with `after` where several tests share it. */
export function temporaryFolder(after: (remove: () => void) => void = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A small job over the simulated app's events; `extra` are further lines of YAML. */
export function jobText(folder: string, extra = ''): string {
  const schemas = resolve('schemas')
  return `
name: small
bus: { kind: file, path: ${folder}/bus, partitions: 2 }
events:
  lateness_ms: 5000
  kinds:
    - { kind: impression, topic: impressions, schema: ${schemas}/impression.avsc, time: event_time, anchor: true }
    - { kind: click, topic: clicks, schema: ${schemas}/click.avsc, time: event_time }
    - { kind: like, topic: likes, schema: ${schemas}/like.avsc, time: event_time }
join:
  tasks:
    - { name: click, window_ms: 30000 }
    - { name: like, window_ms: 120000 }
features:
  - { name: user, kind: id, from: user_id }
  - { name: category, kind: id }
  - { name: tags, kind: ids }
  - { name: age, kind: number, from: item_age_hours, log: true }
  - { name: user_rate, kind: rate, of: [user], tasks: [click, like], half_life_hours: [1, 24], cap: { by: user, most: 50 } }
  - { name: tag_rate, kind: rate, of: [tags, category], tasks: [like] }
  - { name: user_seen, kind: last_seen, of: [user] }
batch: { count: 32 }
model: { kind: mmoe, dim: 4, experts: 2, expert_hidden: [8], tower_hidden: [4] }
train: { engine: plain, state: ${folder}/state, checkpoint_every_records: 500 }
publish: { every_samples: 300, full_every: 4, chunk_bytes: 4096 }
observe: { http: { enabled: false }, log: silent }
${extra}`
}

export function smallJob(folder: string, extra = ''): Job {
  return parseJob(`${folder}/job.yaml`, jobText(folder, extra))
}

/** A clock that never moves: nothing in a run may depend on it. */
export const frozenClock = { now: () => 1_800_000_000_000 }

/** Appends the deliveries of a small simulated app to the job's bus. */
export async function produceWorld(
  job: Job,
  log: TopicLog,
  impressions: number,
  seed = 1,
): Promise<void> {
  const world = new World(worldOptions.parse({ seed, impressions, users: 50, items: 40 }))
  await produce({ job, log, pull: (count) => world.pull(count), clock: frozenClock })
}

export function openJobLog(job: Job): Promise<TopicLog> {
  if (job.bus.kind !== 'file') throw new Error('a file bus is expected')
  return openFileLog({ path: job.bus.path })
}
