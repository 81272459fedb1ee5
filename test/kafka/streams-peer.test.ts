/** @file Another system in place of our joiner: the Kafka Streams job of the bench writes the samples topic, and a trainer learns from it. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { installPeers, peerProduct } from '../../bench/peers.ts'
import { openKafkaLog } from '../../src/broker/kafka-log/kafka-log.ts'
import type { TopicLog } from '../../src/broker/topic-log.ts'
import { parseJob } from '../../src/settings/job.ts'
import { createEventTopics } from '../../topology/event-inputs.ts'
import { createSamplesTopic } from '../../topology/sample-inputs.ts'
import { run, start } from '../topology/cli.ts'
import { oracleSamples, writtenSamples } from '../topology/whole-samples.ts'
import { kafkaJobText } from './kafka-job.ts'
import { withBroker } from './real-broker.ts'

const PARTITIONS = 2
const ROWS = 8_000

/**
 * Kafka Streams gives a row without feedback when a later event passes its window, and looks for such rows once a second of wall clock:
 * where it has read all there is within that second, it gives none of them, ever. So events keep coming, as on any bus.
 * At this pace one append of the producer spans less event time than the grace of the join: what is written topic by topic is not late.
 */
const EVENTS_PER_SECOND = 1_000

/** Two windows have the same instants at their ends in both systems; lateness is judged differently. */
const AGREEMENT = 0.99

withBroker('Kafka Streams in place of our joiner', {}, (broker) => {
  test('feeds a trainer: rows as the oracle labels them, each learned once', async () => {
    if (!existsSync(resolve('bench/peers/kafka-streams/target/kafka-streams-join.jar'))) {
      installPeers(['kafka-streams'], () => undefined)
    }
    const folder = mkdtempSync(`${broker.kafka.data}/job-`)
    const file = `${folder}/job.yaml`
    const text = kafkaJobText(folder, broker.brokers)
    writeFileSync(file, text)
    const job = parseJob(file, text)
    const log = await openKafkaLog({ brokers: broker.brokers })
    try {
      await createEventTopics(job, log)
      await createSamplesTopic(job, log, PARTITIONS)
      const producer = start(['produce', file, '--per-second', String(EVENTS_PER_SECOND)])
      await streamSamples(broker.brokers, folder, log)
      producer.process.kill('SIGTERM')
      const produced = await producer.ended
      expect(produced, produced.stderr).toMatchObject({ code: 0 })
      const rows = (await writtenSamples(job, log)).flat()
      const labels = new Map<string, number>()
      for (const { id, labels: known } of (await oracleSamples(job, log)).flat()) {
        for (const [task, value] of Object.entries(known)) labels.set(`${id} ${task}`, value)
      }
      const agreeing = rows.filter(({ id, labels: known }) =>
        Object.entries(known).every(([task, value]) => labels.get(`${id} ${task}`) === value),
      )
      expect(agreeing.length / rows.length).toBeGreaterThan(AGREEMENT)

      const report = `${folder}/report.json`
      const trained = await run(['run', file, '--role', 'trainer', '--exit', '--report', report])
      expect(trained, trained.stderr).toMatchObject({ code: 0 })
      const { accounting, samples, versions, tasks } = JSON.parse(await readFile(report, 'utf8'))
      // Kafka Streams lets an impression without an id pass: the trainer says what is wrong with it, and learns the others.
      const sound = rows.filter(({ id }) => id !== '')
      const names = new Set(sound.map((row) => `${row.id} ${Object.keys(row.labels).join()}`))
      expect(accounting.samples).toMatchObject({
        joined: names.size,
        open: 0,
        dead_letters_by_reason: {
          id: rows.length - sound.length,
          undecodable: 0,
          time: 0,
          key: 0,
        },
      })
      expect(samples).toBe(names.size)
      expect(versions.published).toBeGreaterThan(5)
      // No word about AUC: positives come at once and negatives once a second, so it says more about that order than about users.
      expect(tasks.click.positives).toBeGreaterThan(500)
      console.log(`${rows.length} rows of Kafka Streams, ${agreeing.length} as the oracle`)
    } finally {
      await log.close()
    }
  }, 300_000)
})

/** Lets the job run until it has written enough, then ends it as its user would: by the end of its input. */
async function streamSamples(
  brokers: readonly string[],
  folder: string,
  log: TopicLog,
): Promise<void> {
  const options = {
    brokers: brokers.join(),
    impressions: 'impressions',
    tasks: 'click:clicks:30000,like:likes:120000',
    schemas: resolve('schemas'),
    'grace-ms': 5_000,
    store: 'memory',
    changelog: 'no',
    state: `${folder}/streams`,
    samples: 'samples',
  }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const child = spawn('java', ['-Xmx512m', '-jar', peerProduct('kafka-streams'), ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (data) => {
    said += String(data)
  })
  const ended = once(child, 'close')
  for (let rows = 0; rows < ROWS; ) {
    if (child.exitCode !== null) throw new Error(`Kafka Streams ended: ${said.slice(-2000)}`)
    await sleep(100)
    rows = (await log.bounds('samples')).reduce((sum, { latest }) => sum + latest, 0)
  }
  child.stdin.end()
  await ended
  expect(child.exitCode, said.slice(-2000)).toBe(0)
}
