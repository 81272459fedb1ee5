/**
 * @file Joiners on a real broker, as processes in a consumer group: killed, stopped and added at random, and frozen until they are
 * replaced. No sample is lost, copies carry their number, and a trainer learns each once.
 */

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { openKafkaLog } from '../../src/broker/kafka-log/kafka-log.ts'
import type { TopicLog } from '../../src/broker/topic-log.ts'
import { randomFrom } from '../../src/random.ts'
import { type Job, parseJob } from '../../src/settings/job.ts'
import { run, start } from '../topology/cli.ts'
import { churn, expectOracle } from '../topology/joiner-churn.ts'
import { writtenSamples } from '../topology/whole-samples.ts'
import { EVENT_TOPICS, kafkaJobText } from './kafka-job.ts'
import { deleteTopics, plainClient, type RealBroker, withBroker } from './real-broker.ts'

const KILLS = Number(process.env.KAFKA_JOINER_KILLS ?? 3)
const EVENTS_PER_SECOND = 1_000
const SEED = Number(process.env.CRASH_SEED ?? 13)

/** A dead member is noticed soon, and nobody waits for members that might come. */
const properties = {
  'group.min.session.timeout.ms': '500',
  'group.initial.rebalance.delay.ms': '0',
}

withBroker('joiners over Kafka', { properties }, (broker) => {
  let file: string
  let job: Job

  beforeAll(() => {
    const folder = mkdtempSync(join(broker.kafka.data, 'job-'))
    file = `${folder}/job.yaml`
    const text = joinerJob(folder, broker)
    writeFileSync(file, text)
    job = parseJob(file, text)
  })

  test(
    `${KILLS} kills, and joiners that come and go, lose no sample (seed ${SEED})`,
    async () => {
      const random = randomFrom(SEED)
      await withLog(broker, async (log) => {
        const counts = await churn({
          file,
          job,
          log,
          random,
          kills: KILLS,
          most: 3,
          eventsPerSecond: EVENTS_PER_SECOND,
        })
        const copies = await expectOracle(job, log)
        console.log(`${JSON.stringify(counts)}: samples as the oracle has them, ${copies} copies`)
        await expectTrained(job, log, file, copies)
        await expectShared(job, log, file)
      })
    },
    120_000 + KILLS * 60_000,
  )

  test('a joiner that is frozen until it is replaced goes on, is fenced, and adds copies at most', async () => {
    await deleteTopics(broker.brokers, EVENT_TOPICS)
    const frozen = start(['run', file, '--role', 'joiner'])
    await withLog(broker, async (log) => {
      await someSamples(job, log)
      frozen.process.kill('SIGSTOP')
      const next = start(['run', file, '--role', 'joiner', '--exit'])
      await groupHas(broker, 'small.joiner', next)
      await sleep(1_500)
      frozen.process.kill('SIGCONT')
      const ended = await next.ended
      expect(ended, ended.stderr).toMatchObject({ code: 0 })
      frozen.process.kill('SIGTERM')
      await frozen.ended
      const last = await run(['run', file, '--role', 'joiner', '--exit'])
      expect(last, last.stderr).toMatchObject({ code: 0 })
      const copies = await expectOracle(job, log)
      console.log(`frozen and replaced: ${copies} copies`)
    })
  }, 300_000)
})

function joinerJob(folder: string, { brokers }: RealBroker): string {
  return kafkaJobText(folder, brokers, ', session_ms: 1000')
    .replace('partitions: 2', 'partitions: 4')
    .replace(
      'checkpoint_every_records: 500',
      'checkpoint_every_records: 500, epoch_records: 60, exchange_ms: 10000',
    )
}

/** A trainer of what they wrote learns every final sample once and counts the copies. */
async function expectTrained(job: Job, log: TopicLog, file: string, copies: number): Promise<void> {
  const folder = job.train.state ?? ''
  mkdirSync(folder, { recursive: true })
  const report = join(folder, 'trainer.json')
  const trained = await run(['run', file, '--role', 'trainer', '--exit', '--report', report])
  expect(trained, trained.stderr).toMatchObject({ code: 0 })
  const { accounting } = JSON.parse(await readFile(report, 'utf8'))
  const written = (await writtenSamples(job, log)).flat().length
  expect(accounting.samples).toMatchObject({
    joined: written - copies,
    duplicates: copies,
    open: 0,
  })
}

/** Two trainers share them, meet through Kafka, and take from it what both have behind them. */
async function expectShared(job: Job, log: TopicLog, file: string): Promise<void> {
  const ends = await Promise.all(
    ['1/2', '2/2'].map(async (share, place) => {
      const report = join(job.train.state ?? '', `trainer-${place}.json`)
      const args = ['--role', 'trainer', '--share', share, '--exit', '--report', report]
      const trained = await run(['run', file, ...args])
      expect(trained, trained.stderr).toMatchObject({ code: 0 })
      return JSON.parse(await readFile(report, 'utf8'))
    }),
  )
  const written = (await writtenSamples(job, log)).flat().length
  const took = ends.map(({ accounting: { samples } }) => samples.joined + samples.duplicates)
  expect(took[0] + took[1]).toBe(written)
  for (const { earliest, latest } of await log.bounds(`${job.name}.exchange`)) {
    expect(earliest).toBeGreaterThan(0)
    expect(latest).toBeGreaterThan(earliest)
  }
}

async function someSamples(job: Job, log: TopicLog): Promise<void> {
  for (;;) {
    const topics = await log.topics()
    const bounds = topics.has(job.samples.topic) ? await log.bounds(job.samples.topic) : []
    if (bounds.some(({ latest }) => latest > 50)) return
    await sleep(20)
  }
}

/** Resolves when the process is the only member of the group, or has ended. */
async function groupHas(
  broker: RealBroker,
  group: string,
  { process }: ReturnType<typeof start>,
): Promise<void> {
  const admin = plainClient(broker.brokers).admin()
  await admin.connect()
  for (;;) {
    const { groups } = await admin.describeGroups([group])
    const [found] = groups
    const alone = found?.members.length === 1 && found.state === 'Stable'
    if (process.exitCode !== null || alone) break
    await sleep(50)
  }
  await admin.disconnect()
}

async function withLog(
  { brokers }: RealBroker,
  work: (log: TopicLog) => Promise<void>,
): Promise<void> {
  const log = await openKafkaLog({ brokers })
  try {
    await work(log)
  } finally {
    await log.close()
  }
}
