/** @file A client that shares no code with us (librdkafka and fastavro, in Python) reads every topic from the documented formats. */

import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { pythonClient, pythonPackages } from '../../scripts/kafka/python-client.mjs'
import { pythonEnvironment } from '../../scripts/python-environment.mjs'
import { openKafkaLog } from '../../src/broker/kafka-log/kafka-log.ts'
import { messageOf } from '../../src/errors.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { learnWhole } from '../topology/learn-whole.ts'
import { produceWorld, temporaryFolder } from '../topology/temporary-job.ts'
import { kafkaJob } from './kafka-job.ts'
import { withBroker } from './real-broker.ts'

const IMPRESSIONS = 1_500

/** The Python, or why there is none: that is loud, and a failure where CI is set. */
function findClient(): string | undefined {
  try {
    return pythonClient()
  } catch (error) {
    if (process.env.CI) throw error
    console.error(`\n*** SKIPPED: reading by an independent client: ${messageOf(error)} ***\n`)
    return undefined
  }
}

interface Scored {
  readonly sequence: number
  readonly scores: readonly (readonly number[])[]
}

const ROWS = Array.from({ length: 20 }, (_, i) => ({
  user_id: `u${i % 4}`,
  category: i % 2 === 0 ? 'music' : 'never seen before',
  tags: ['tag-1', `tag-${i}`],
  item_age_hours: i / 3,
  event_time: '2026-03-02T08:00:00Z',
}))

/** The Python client, numpy that it needs, and librdkafka. */
function clientPath(): string {
  return [resolve('clients/python'), pythonPackages(), pythonEnvironment().packages].join(':')
}

withBroker('an independent client', {}, (broker) => {
  test('decodes events, side outputs and the chain of versions by their schemas', async (context) => {
    const python = findClient()
    if (python === undefined) return context.skip()
    const log = await openKafkaLog({ brokers: broker.brokers, compression: 'lz4' })
    const job = kafkaJob(temporaryFolder(), broker.brokers)
    await produceWorld(job, log, IMPRESSIONS)
    const { run, stages } = await learnWhole({ job, log, engine: plainEngine('float32') })
    const topics = ['impressions=impression', 'clicks=click', 'likes=like', 'model=model-update']
    const sides = ['small.dead-letter=dead-letter', 'small.late=dead-letter']
    const { status, stdout, stderr } = spawnSync(
      python,
      [
        resolve('test/kafka/read_topics.py'),
        broker.brokers.join(','),
        resolve('schemas'),
        ...topics,
        ...sides,
      ],
      { encoding: 'utf8', env: { ...process.env, PYTHONPATH: pythonPackages() } },
    )
    expect(status, stderr).toBe(0)
    const read = JSON.parse(stdout)

    for (const { topic, kind } of job.events.kinds) {
      const bounds = await log.bounds(topic)
      expect(read[topic].partitions, topic).toEqual(
        Object.fromEntries(bounds.map(({ partition, latest }) => [String(partition), latest])),
      )
      const counts = stages.intake.accounting().find((one) => one.kind === kind)
      expect(read[topic].undecodable, topic).toBe(counts?.deadLetters.undecodable)
    }
    const { written } = run.position()
    for (const side of ['small.dead-letter', 'small.late']) {
      expect(read[side], side).toMatchObject({ records: written[side], undecodable: 0 })
    }
    expect(read.model.at(-1)).toMatchObject({
      sequence: stages.publisher.sequence,
      samples: stages.learner.samples,
    })
    expect(read.model).toHaveLength(stages.publisher.sequence)

    const scored = spawnSync(
      python,
      [
        resolve('test/kafka/score_from_kafka.py'),
        broker.brokers.join(','),
        'model',
        JSON.stringify(ROWS),
      ],
      { encoding: 'utf8', env: { ...process.env, PYTHONPATH: clientPath() } },
    )
    expect(scored.status, scored.stderr).toBe(0)
    const { sequence, scores } = JSON.parse(scored.stdout) as Scored
    expect(sequence).toBe(stages.publisher.sequence)
    const rows = ROWS.map((fields) => ({ fields, time: Date.parse(fields.event_time) }))
    const expected = stages.learner.score(stages.encoder.encode(rows))
    for (const [row, byTask] of scores.entries()) {
      for (const [task, score] of byTask.entries()) {
        expect(Math.abs(score - expected[task * ROWS.length + row]!)).toBeLessThan(1e-5)
      }
    }
    await log.close()
  })
})
