/** @file Joiners as processes that come, go and are killed at random, until everything is joined; and what must be true then. */

import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { TopicLog } from '../../src/broker/topic-log.ts'
import type { Random } from '../../src/random.ts'
import type { Job } from '../../src/settings/job.ts'
import type { JoinerRun } from '../../topology/joiner-run.ts'
import { type Running, start } from './cli.ts'
import { oracleSamples, recordsOf, withoutCopies, writtenSamples } from './whole-samples.ts'

export interface Churn {
  /** Arguments after `run JOB`. */
  readonly args: readonly string[]
  readonly random: Random
  /** How many processes are killed with SIGKILL before the rest may end in peace. */
  readonly kills: number
  /** Joiners at a time, at most. */
  readonly most: number
  /** Longest time between two events, ms. */
  readonly pauseMs: number
}

export interface ChurnCounts {
  killed: number
  stopped: number
  started: number
}

/** Starts, stops and kills joiners; resolves when one of them has ended by itself after the last kill. */
export async function churn({ args, random, kills, most, pauseMs }: Churn): Promise<ChurnCounts> {
  const counts: ChurnCounts = { killed: 0, stopped: 0, started: 0 }
  const running = new Set<Running>()
  const faults: string[] = []
  const add = (): void => {
    const joiner = start(['run', ...args, '--role', 'joiner', '--exit'])
    counts.started += 1
    running.add(joiner)
    void joiner.ended.then(({ code, signal, stderr }) => {
      running.delete(joiner)
      // One that is asked to stop while it starts has no ear for it yet.
      if (signal === null && code !== 0) faults.push(stderr)
    })
  }
  while (counts.killed < kills) {
    while (running.size < 2) add()
    if (running.size < most && random.uniform() < 0.3) add()
    await sleep(random.uniform() * pauseMs)
    const victims = [...running]
    const victim = victims[random.integer(victims.length)]
    if (victim === undefined) continue
    const kill = random.uniform() < 0.7
    if (victim.process.kill(kill ? 'SIGKILL' : 'SIGTERM')) counts[kill ? 'killed' : 'stopped'] += 1
    if (kill) await victim.ended
  }
  add()
  await Promise.all(Array.from(running, ({ ended }) => ended))
  expect(faults).toEqual([])
  return counts
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
