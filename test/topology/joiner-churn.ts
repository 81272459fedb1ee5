/** @file Joiners as processes that come, go and are killed at random, until everything is joined; and what must be true then. */

import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { TopicLog } from '../../src/broker/topic-log.ts'
import type { Random } from '../../src/random.ts'
import type { Job } from '../../src/settings/job.ts'
import type { JoinerRun } from '../../topology/joiner-run.ts'
import { stateTopic } from '../../topology/shard-store.ts'
import { type Running, start } from './cli.ts'
import { oracleSamples, recordsOf, withoutCopies, writtenSamples } from './whole-samples.ts'

export interface Churn {
  readonly file: string
  readonly job: Job
  readonly log: TopicLog
  readonly random: Random
  /** How many processes are killed with SIGKILL before the rest may end in peace. */
  readonly kills: number
  /** Joiners at a time, at most. */
  readonly most: number
  /** How fast events come while joiners come and go. */
  readonly eventsPerSecond: number
}

export interface ChurnCounts {
  killed: number
  stopped: number
  started: number
}

/** Records of the shards' state topic between two events, at most: claims and decided epochs, so somebody was at work. */
const MOST_STEPS = 24

/**
 * Starts, stops and kills joiners while events come, and ends when what came is joined. How far the joiners are decides when the
 * next one is hit, not the clock: a joiner never runs out of work before, however fast the machine is.
 */
export async function churn(options: Churn): Promise<ChurnCounts> {
  const { file, job, log, random, kills, most, eventsPerSecond } = options
  const counts: ChurnCounts = { killed: 0, stopped: 0, started: 0 }
  const running = new Set<Running>()
  const faults: string[] = []
  const add = (...more: string[]): void => {
    const joiner = start(['run', file, '--role', 'joiner', ...more])
    counts.started += 1
    running.add(joiner)
    void joiner.ended.then(({ code, signal, stderr }) => {
      running.delete(joiner)
      // One that is asked to stop while it starts has no ear for it yet.
      if (signal === null && code !== 0) faults.push(stderr)
    })
  }
  const producer = start(['produce', file, '--per-second', String(eventsPerSecond)])
  while (counts.killed < kills && faults.length === 0) {
    while (running.size < 2) add()
    if (running.size < most && random.uniform() < 0.3) add()
    await stepsOf(job, log, 1 + random.integer(MOST_STEPS), () => faults.length > 0)
    const victims = [...running]
    const victim = victims[random.integer(victims.length)]
    if (victim === undefined) continue
    const kill = random.uniform() < 0.7
    if (victim.process.kill(kill ? 'SIGKILL' : 'SIGTERM')) counts[kill ? 'killed' : 'stopped'] += 1
    await victim.ended
  }
  producer.process.kill('SIGTERM')
  const produced = await producer.ended
  expect(produced, produced.stderr).toMatchObject({ code: 0 })
  // Those that wait for more events leave to those that end with them.
  for (const { process } of running) process.kill('SIGTERM')
  await Promise.all(Array.from(running, ({ ended }) => ended))
  add('--exit')
  add('--exit')
  await Promise.all(Array.from(running, ({ ended }) => ended))
  expect(faults).toEqual([])
  return counts
}

/** Resolves when the joiners have brought their shards so many records further. */
async function stepsOf(
  job: Job,
  log: TopicLog,
  steps: number,
  isOver: () => boolean,
): Promise<void> {
  const before = await shardRecords(job, log)
  while (!isOver() && (await shardRecords(job, log)) < before + steps) await sleep(10)
}

async function shardRecords(job: Job, log: TopicLog): Promise<number> {
  const topic = stateTopic(job.name)
  if (!(await log.topics()).has(topic)) return 0
  return (await log.bounds(topic)).reduce((sum, { latest }) => sum + latest, 0)
}

/** Lets a joiner come to the end of its input. */
export async function toTheEnd(run: JoinerRun): Promise<void> {
  while (await run.round());
  await run.close()
}

/** No sample is lost or different from the oracle's; gives how many records are copies of earlier ones. */
export async function expectOracle(job: Job, log: TopicLog): Promise<number> {
  const written = await writtenSamples(job, log)
  const expected = await oracleSamples(job, log)
  const kept = written.map(withoutCopies)
  expect(
    kept.map((samples) =>
      samples.filter(({ role }) => role !== 'opened').map(({ source: _, ...rest }) => rest),
    ),
  ).toEqual(expected)
  for (const [shard, samples] of written.entries()) {
    for (const { source, ...sample } of samples) {
      const { source: first, ...same } = kept[shard]?.[source.sequence] ?? {}
      expect(source.shard).toBe(shard)
      expect(sample).toEqual(same)
      expect(first?.sequence).toBe(source.sequence)
    }
  }
  return written.flat().length - kept.flat().length
}

/** Keys of the side outputs of all joiners: topic/partition/offset of every event that became no sample. */
export async function sideKeys(job: Job, log: TopicLog): Promise<string[]> {
  const keys: string[] = []
  const topics = await log.topics()
  for (const side of ['dead-letter', 'late', 'orphan']) {
    const topic = `${job.name}.joiner.${side}`
    for (let partition = 0; partition < (topics.get(topic) ?? 0); partition++) {
      for (const { key } of await recordsOf(log, topic, partition)) {
        keys.push(`${side} ${Buffer.from(key).toString()}`)
      }
    }
  }
  return keys
}
