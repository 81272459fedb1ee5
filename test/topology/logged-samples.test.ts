/** @file Parity on what really went by: rows of the samples topic, scored by the trainer and, over HTTP, by a scorer that knows the model topic only. */

import { expect, test } from 'vitest'
import { parseJob } from '../../src/settings/job.ts'
import { openModelSource } from '../../topology/serve-source.ts'
import { learnedLog } from './logged-samples.ts'
import { postRows, scorerOf } from './scorer-of.ts'
import { jobText, openJobLog, temporaryFolder } from './temporary-job.ts'
import { withHistories } from './tight-job.ts'

const ROWS = 100

test('a scorer gives logged samples the scores that the trainer gives them', async () => {
  const folder = temporaryFolder()
  const text = withHistories(jobText(folder)).replace('kind: mmoe,', 'kind: mmoe, wide: true,')
  const job = parseJob(`${folder}/job.yaml`, text)
  const log = await openJobLog(job)
  const { version, rows, expected } = await learnedLog(job, log, ROWS)
  await log.close()
  const { url } = await scorerOf({ source: await openModelSource({ from: `${folder}/bus` }, {}) })
  await expect
    .poll(async () => (await fetch(`${url}/readyz`)).status, { timeout: 20_000 })
    .toBe(200)
  const answer = await postRows(
    url,
    rows.map(({ fields, time }) => ({ ...fields, event_time: time })),
  )
  const { version: used, scores } = (await answer.json()) as {
    version: number
    scores: Record<string, number>[]
  }
  expect(used).toBe(version.sequence)
  expect(scores).toHaveLength(ROWS)
  const found = ['click', 'like'].flatMap((task) => scores.map((row) => row[task] ?? NaN))
  expect(new Set(found).size).toBeGreaterThan(ROWS)
  // A scorer sums what all rows have in common first: the last bit may differ.
  for (const [i, score] of found.entries()) expect(score).toBeCloseTo(expected[i]!, 6)
}, 60_000)
