/** @file Law 2 without luck: a small job is killed at every single call that changes the disk, and torn in every single write. */

import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { run, start } from './cli.ts'
import { boundedRun, copyOf, outcomeOf } from './outcome.ts'
import { jobText, temporaryFolder } from './temporary-job.ts'

const PRELOAD = 'test/topology/crash-at.mjs'
const IMPRESSIONS = 150

/** So narrow that noise alone holds some versions back: the verdicts must survive a crash, too. */
const NARROW_GATE =
  'gate: { warmup_samples: 0, min_positives: 1, max_normalized_entropy: 2.5, calibration: [0.3, 5] }'

/** Checkpoints and versions as often as they can be told apart, so that their writes are a large part. */
function tightJob(folder: string): string {
  return jobText(folder)
    .replace('join:', 'join:\n  emission: staged')
    .replace('checkpoint_every_records: 500', 'epoch_records: 15, checkpoint_every_records: 70')
    .replace(
      'every_samples: 300, full_every: 4, chunk_bytes: 4096',
      `every_samples: 25, full_every: 2, chunk_bytes: 2048, ${NARROW_GATE}`,
    )
}

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

  const calm = copyOf(source, tightJob)
  const count = `${calm}/count`
  const calmly = start(boundedRun(calm), { preload: PRELOAD, environment: { CRASH_COUNT: count } })
  expect(await calmly.ended).toMatchObject({ code: 0 })
  const calls = Number(readFileSync(count, 'utf8'))
  const expected = await outcomeOf(calm)
  expect(calls).toBeGreaterThan(50)
  expect(expected.versions.length).toBeGreaterThan(2)
  expect(expected.versions.length, 'some versions were held').toBeLessThan(expected.samples / 25)

  async function crashAt(call: number): Promise<void> {
    const folder = copyOf(source, tightJob)
    const crashing = start(boundedRun(folder), {
      preload: PRELOAD,
      environment: { CRASH_AT: String(call) },
    })
    const crashed = await crashing.ended
    expect(crashed, `call ${call}: ${crashed.stderr}`).toMatchObject({ signal: 'SIGKILL' })
    const resumed = await run(boundedRun(folder))
    expect(resumed, `after a crash at call ${call}: ${resumed.stderr}`).toMatchObject({ code: 0 })
    expect(await outcomeOf(folder), `after a crash at call ${call}`).toEqual(expected)
  }
  // Two at a time: the lives are short and mostly start-up.
  let next = 1
  const lane = async (): Promise<void> => {
    while (next <= calls) await crashAt(next++)
  }
  await Promise.all([lane(), lane()])
  console.log(
    `${calls} crash points, each restarted: lost 0, doubled 0, state ${expected.state} every time`,
  )
}, 900_000)
