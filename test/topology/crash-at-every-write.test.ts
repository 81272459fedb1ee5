/** @file Law 2 without luck: a small job is killed at every single call that changes the disk, and torn in every single write. */

import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseJob } from '../../src/settings/job.ts'
import { CrashCount, writeCrashRow } from '../crash-table.ts'
import { run, start } from './cli.ts'
import { boundedRun, copyOf, outcomeOf } from './outcome.ts'
import { temporaryFolder } from './temporary-job.ts'
import { TIGHT_TOMBSTONES, tightJob } from './tight-job.ts'
import { addTombstones } from './tombstones.ts'

const PRELOAD = 'test/topology/crash-at.mjs'
const IMPRESSIONS = 150

test('killed at every write, fsync, rename, truncation and removal, the learner ends as if never stopped', async () => {
  const source = temporaryFolder()
  writeFileSync(`${source}/job.yaml`, tightJob(source))
  const produced = await run([
    'produce',
    `${source}/job.yaml`,
    '--impressions',
    String(IMPRESSIONS),
  ])
  expect(produced, produced.stderr).toMatchObject({ code: 0 })
  await addTombstones(parseJob(`${source}/job.yaml`, tightJob(source)), TIGHT_TOMBSTONES)

  const calm = copyOf(source, tightJob)
  const count = `${calm}/count`
  const calmly = start(boundedRun(calm), { preload: PRELOAD, environment: { CRASH_COUNT: count } })
  expect(await calmly.ended).toMatchObject({ code: 0 })
  const calls = Number(readFileSync(count, 'utf8'))
  const expected = await outcomeOf(calm)
  expect(calls).toBeGreaterThan(50)
  expect(expected.versions.length).toBeGreaterThan(2)
  expect(expected.versions.length, 'some versions were held').toBeLessThan(expected.samples / 25)

  const table = new CrashCount(expected)
  /** Whether the life got as far as the call. */
  async function crashAt(call: number): Promise<boolean> {
    const folder = copyOf(source, tightJob)
    const crashing = start(boundedRun(folder), {
      preload: PRELOAD,
      environment: { CRASH_AT: String(call) },
    })
    const crashed = await crashing.ended
    if (crashed.code === 0) return false
    expect(crashed, `call ${call}: ${crashed.stderr}`).toMatchObject({ signal: 'SIGKILL' })
    const resumed = await run(boundedRun(folder))
    expect(resumed, `after a crash at call ${call}: ${resumed.stderr}`).toMatchObject({ code: 0 })
    const found = await outcomeOf(folder)
    table.add(1, found)
    expect.soft(found, `after a crash at call ${call}`).toEqual(expected)
    return true
  }
  // Two at a time: the lives are short and mostly start-up. How many calls a life makes depends a little on how long the disk
  // takes for a checkpoint: epochs that were journalled meanwhile are written again.
  let next = 1
  let ended = Number.POSITIVE_INFINITY
  const lane = async (): Promise<void> => {
    while (next < ended) {
      const call = next++
      if (!(await crashAt(call))) ended = Math.min(ended, call)
    }
  }
  await Promise.all([lane(), lane()])
  expect(Math.abs(ended - 1 - calls), 'calls of a life').toBeLessThan(calls / 10)
  writeCrashRow('kill -9 at every call that changes the disk', table.row)
  console.log(`${calls} calls: ${JSON.stringify(table.row)}, state ${expected.state}`)
}, 900_000)
