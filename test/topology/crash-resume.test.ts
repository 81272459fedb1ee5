/** @file Law 2 on real processes: a learner killed with SIGKILL at random moments ends as one that was never stopped. */

import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { randomFrom } from '../../src/random.ts'
import { parseJob } from '../../src/settings/job.ts'
import { run, start } from './cli.ts'
import { boundedRun, copyOf, outcomeOf } from './outcome.ts'
import { jobText, temporaryFolder } from './temporary-job.ts'
import { withHistories } from './tight-job.ts'
import { addTombstones, withTombstones } from './tombstones.ts'

const KILLS = Number(process.env.CRASH_KILLS ?? 12)
const IMPRESSIONS = 6_000
const SEED = Number(process.env.CRASH_SEED ?? 7)

/** Everything that has a state: rates and histories, heads that correct early negatives, tombstones. */
function crashJob(folder: string): string {
  return withTombstones(withHistories(jobText(folder)))
    .replace('join:', 'join:\n  emission: fast')
    .replace('engine: plain,', 'engine: plain, correction: es-dfm,')
}

test(`${KILLS} kills at random moments change no byte of state, versions or side outputs (seed ${SEED})`, async () => {
  const source = temporaryFolder()
  writeFileSync(`${source}/job.yaml`, crashJob(source))
  const produced = await run([
    'produce',
    `${source}/job.yaml`,
    '--impressions',
    String(IMPRESSIONS),
  ])
  expect(produced).toMatchObject({ code: 0 })
  const erased = [1, 2, 3].map((n) => ({ user: `u${n}`, after: n * 100_000 }))
  await addTombstones(parseJob(`${source}/job.yaml`, crashJob(source)), erased)

  const calm = copyOf(source, crashJob)
  const began = performance.now()
  expect(await run(boundedRun(calm))).toMatchObject({ code: 0 })
  const lifeMs = performance.now() - began
  const expected = await outcomeOf(calm)
  expect(expected.samples).toBeGreaterThan(IMPRESSIONS * 0.9)

  const random = randomFrom(SEED)
  let kills = 0
  let resumed = 0
  while (kills < KILLS) {
    const folder = copyOf(source, crashJob)
    for (let finished = false; !finished; ) {
      const learner = start(boundedRun(folder))
      const timer = new AbortController()
      const killer = sleep((0.2 + 0.8 * random.uniform()) * lifeMs, undefined, {
        signal: timer.signal,
      })
        .then(() => learner.process.kill('SIGKILL'))
        .catch(() => undefined)
      const ended = await learner.ended
      timer.abort()
      await killer
      finished = ended.code === 0
      if (finished) break
      expect(ended, ended.stderr).toMatchObject({ signal: 'SIGKILL' })
      kills += 1
      resumed += 1
    }
    expect(await outcomeOf(folder), `after ${kills} kills, seed ${SEED}`).toEqual(expected)
  }
  console.log(`${kills} kills, ${resumed} restarts, every end equal: state ${expected.state}`)
}, 600_000)
