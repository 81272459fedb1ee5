/**
 * @file Law 2 over Kafka, on real processes: learners and brokers killed with SIGKILL at random moments leave what a run without
 * a kill leaves. KAFKA_KILLS and KAFKA_BROKER_KILLS say how many; `npm run test:kafka:kills` takes 50 and 10.
 */

import { existsSync, mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { openKafkaLog } from '../../src/broker/kafka-log/kafka-log.ts'
import { type Random, randomFrom } from '../../src/random.ts'
import { CrashCount, writeCrashRow } from '../crash-table.ts'
import { type Ended, run, start } from '../topology/cli.ts'
import { boundedRun, type Outcome, outcomeOn } from '../topology/outcome.ts'
import { EVENT_TOPICS, kafkaJobText } from './kafka-job.ts'
import { deleteTopics, type RealBroker, withBroker } from './real-broker.ts'

const KILLS = Number(process.env.KAFKA_KILLS ?? 5)
const BROKER_KILLS = Number(process.env.KAFKA_BROKER_KILLS ?? 2)
const IMPRESSIONS = 4_000
const SEED = Number(process.env.CRASH_SEED ?? 11)

withBroker('kills over Kafka', {}, (broker) => {
  let expected: Outcome
  let lifeMs: number

  beforeAll(async () => {
    const folder = jobFolder(broker)
    const produced = await run([
      'produce',
      `${folder}/job.yaml`,
      '--impressions',
      String(IMPRESSIONS),
    ])
    expect(produced, produced.stderr).toMatchObject({ code: 0 })
    const began = performance.now()
    await finish(run(boundedRun(folder)))
    lifeMs = performance.now() - began
    expected = await outcome(broker, folder)
    expect(expected.samples).toBeGreaterThan(IMPRESSIONS * 0.9)
    expect(expected.versions.length).toBeGreaterThan(5)
  }, 120_000)

  test(
    `${KILLS} kills of the learner change no byte of state, versions or side outputs (seed ${SEED})`,
    async () => {
      const random = randomFrom(SEED)
      const count = new CrashCount(expected)
      let kills = 0
      while (kills < KILLS) {
        const killsBefore = kills
        const folder = await freshRun(broker)
        for (let ended = false; !ended; ) {
          const learner = start(boundedRun(folder))
          const killed = await killAfter(learner, moment(random, lifeMs))
          if (killed) kills += 1
          else await finish(learner.ended)
          ended = !killed
        }
        const found = await outcome(broker, folder)
        count.add(kills - killsBefore, found)
        expect.soft(found, `after ${kills} kills, seed ${SEED}`).toEqual(expected)
      }
      writeCrashRow('kill -9 of the learner, on Kafka', count.row)
      console.log(`kills of the learner: ${JSON.stringify(count.row)}, state ${expected.state}`)
    },
    60_000 + KILLS * 30_000,
  )

  test(
    `${BROKER_KILLS} kills of the broker under a learner change nothing either (seed ${SEED})`,
    async () => {
      const random = randomFrom(SEED + 1)
      const count = new CrashCount(expected)
      let kills = 0
      while (kills < BROKER_KILLS) {
        const folder = await freshRun(broker)
        const learner = start(boundedRun(folder))
        await hasRead(learner, folder)
        await sleep(0.4 * random.uniform() * lifeMs)
        // One that was faster than the kill proves nothing, and is not counted.
        const inTime = learner.process.exitCode === null
        if (inTime) kills += 1
        await broker.kafka.kill()
        await broker.kafka.start()
        await finish(learner.ended)
        const found = await outcome(broker, folder)
        if (inTime) count.add(1, found)
        expect.soft(found, `after ${kills} kills of the broker, seed ${SEED}`).toEqual(expected)
      }
      writeCrashRow('kill -9 of the broker under a learner', count.row)
      console.log(`kills of the broker: ${JSON.stringify(count.row)}, state ${expected.state}`)
    },
    60_000 + BROKER_KILLS * 60_000,
  )
})

/** Somewhere in a life that reads: starting the process is the first part of it. */
function moment(random: Random, lifeMs: number): number {
  return (0.25 + 0.65 * random.uniform()) * lifeMs
}

/** Resolves when the learner has written to its journal: it is past its start. */
async function hasRead(learner: ReturnType<typeof start>, folder: string): Promise<void> {
  const journal = join(folder, 'state', 'journal')
  while (learner.process.exitCode === null) {
    if (existsSync(journal) && statSync(journal).size > 0) return
    await sleep(5)
  }
}

/** Goes away with the data of the broker. */
function jobFolder(broker: RealBroker): string {
  const folder = mkdtempSync(join(broker.kafka.data, 'job-'))
  // How soon a broker is back on a busy machine is not what is tested.
  const patience = ', patience_ms: 600000'
  writeFileSync(`${folder}/job.yaml`, kafkaJobText(folder, broker.brokers, patience))
  return folder
}

/** A folder without state, and only the events on the broker. */
async function freshRun(broker: RealBroker): Promise<string> {
  await deleteTopics(broker.brokers, EVENT_TOPICS)
  return jobFolder(broker)
}

/** Whether the process died of the kill, rather than ending before it. */
async function killAfter(learner: ReturnType<typeof start>, ms: number): Promise<boolean> {
  const timer = new AbortController()
  const killer = sleep(ms, undefined, { signal: timer.signal }).then(
    () => learner.process.kill('SIGKILL'),
    () => false,
  )
  const { signal } = await learner.ended
  timer.abort()
  await killer
  return signal === 'SIGKILL'
}

async function finish(ending: Promise<Ended>): Promise<void> {
  const ended = await ending
  expect(ended, ended.stderr).toMatchObject({ code: 0 })
}

async function outcome(broker: RealBroker, folder: string): Promise<Outcome> {
  const log = await openKafkaLog({ brokers: broker.brokers })
  try {
    return await outcomeOn(log, folder)
  } finally {
    await log.close()
  }
}
