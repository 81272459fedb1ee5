/** @file Several joiners on the embedded log, as processes: whatever becomes of them, no sample is lost and none is there twice. */

import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openFileLog } from '../../src/broker/file-log/file-log.ts'
import type { TopicLog } from '../../src/broker/topic-log.ts'
import { randomFrom } from '../../src/random.ts'
import { type Job, parseJob } from '../../src/settings/job.ts'
import { joinWhole } from '../../topology/join-whole.ts'
import { churn, expectOracle, sideKeys } from './joiner-churn.ts'
import { frozenClock, jobText, temporaryFolder } from './temporary-job.ts'

const EVENTS_PER_SECOND = 1_000
const KILLS = 5
const SEED = Number(process.env.CRASH_SEED ?? 5)

/** Small epochs, so that a joiner has many moments to die in. */
function text(folder: string): string {
  return jobText(folder)
    .replace('partitions: 2', 'partitions: 4')
    .replace('checkpoint_every_records: 500', 'checkpoint_every_records: 500, epoch_records: 60')
}

/** Events that one join of the whole log sets aside. */
async function sidelined(job: Job, log: TopicLog): Promise<number> {
  const whole = await joinWhole(job, log, frozenClock)
  let count = 0
  for await (const { deadLetters, late, orphans } of whole.outputs) {
    count += deadLetters.length + late.length + orphans.length
  }
  return count
}

test(`joiners killed, stopped and added at random lose and double no sample (seed ${SEED})`, async () => {
  const folder = temporaryFolder()
  writeFileSync(`${folder}/job.yaml`, text(folder))
  const file = `${folder}/job.yaml`
  const job = parseJob(file, text(folder))
  const random = randomFrom(SEED)
  const log = await openFileLog({ path: `${folder}/bus` })
  const counts = await churn({
    file,
    job,
    log,
    random,
    kills: KILLS,
    most: 4,
    eventsPerSecond: EVENTS_PER_SECOND,
  })
  const copies = await expectOracle(job, log)
  expect(copies, 'on the embedded log nothing is taken from a living process').toBe(0)
  const keys = await sideKeys(job, log)
  expect(new Set(keys).size).toBe(keys.length)
  expect(keys.length).toBe(await sidelined(job, log))
  await log.close()
  console.log(`${JSON.stringify(counts)}: samples as the oracle has them, ${copies} copies`)
}, 240_000)
