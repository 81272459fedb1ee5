/** @file Law 2 on real processes: a learner killed with SIGKILL at random moments ends as one that was never stopped. */

import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { randomFrom } from '../../src/random.ts'
import { run, start } from './cli.ts'
import { boundedRun, copyOf, outcomeOf } from './outcome.ts'
import { jobText, temporaryFolder } from './temporary-job.ts'

const KILLS = 24
const IMPRESSIONS = 6_000
const SEED = Number(process.env.CRASH_SEED ?? 7)

test(`${KILLS} kills at random moments change no byte of state, versions or side outputs (seed ${SEED})`, async () => {
  const source = temporaryFolder()
  writeFileSync(`${source}/job.yaml`, jobText(source))
  const produced = await run([
    'produce',
    `${source}/job.yaml`,
    '--impressions',
    String(IMPRESSIONS),
  ])
  expect(produced).toMatchObject({ code: 0 })

  const calm = copyOf(source, jobText)
  const began = performance.now()
  expect(await run(boundedRun(calm))).toMatchObject({ code: 0 })
  const lifeMs = performance.now() - began
  const expected = await outcomeOf(calm)
  expect(expected.samples).toBeGreaterThan(IMPRESSIONS * 0.9)

  const random = randomFrom(SEED)
  let kills = 0
  let resumed = 0
  while (kills < KILLS) {
    const folder = copyOf(source, jobText)
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
