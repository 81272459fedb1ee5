/** @file A learner on a broker that hangs and on a network that is slow: it waits, says why when it gives up, and loses nothing. */

import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openKafkaLog } from '../../src/broker/kafka-log/kafka-log.ts'
import { run, start } from '../topology/cli.ts'
import { boundedRun, type Outcome, outcomeOn } from '../topology/outcome.ts'
import { EVENT_TOPICS, kafkaJobText } from './kafka-job.ts'
import { openLossyProxy } from './lossy-proxy.ts'
import { deleteTopics, withBroker } from './real-broker.ts'

const IMPRESSIONS = 2_000

const proxy = await openLossyProxy()
afterAll(() => proxy.close())

/** Clients are told to come back through the proxy. */
const advertised = {
  properties: { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${proxy.port}` },
}

withBroker('a learner', advertised, (broker) => {
  const brokers = [`127.0.0.1:${proxy.port}`]
  let expected: Outcome

  beforeAll(async () => {
    proxy.target = Number(broker.kafka.address().split(':')[1])
    const folder = jobFolder()
    const produced = await run(['produce', `${folder}/job.yaml`, '--impressions', `${IMPRESSIONS}`])
    expect(produced, produced.stderr).toMatchObject({ code: 0 })
    expected = await finished(folder)
  }, 240_000)

  /** A folder without state, and only the events on the broker. */
  async function freshRun(bus = ''): Promise<string> {
    await deleteTopics(brokers, EVENT_TOPICS)
    return jobFolder(bus)
  }

  function jobFolder(bus = ''): string {
    const folder = mkdtempSync(join(broker.kafka.data, 'job-'))
    writeFileSync(`${folder}/job.yaml`, kafkaJobText(folder, brokers, bus))
    return folder
  }

  /** Runs to the end and gives what is there then. */
  async function finished(folder: string): Promise<Outcome> {
    const ended = await run(boundedRun(folder))
    expect(ended, ended.stderr).toMatchObject({ code: 0 })
    return outcome(folder)
  }

  async function outcome(folder: string): Promise<Outcome> {
    const log = await openKafkaLog({ brokers })
    try {
      return await outcomeOn(log, folder)
    } finally {
      await log.close()
    }
  }

  /** Resolves when so many answers of the broker went by since: it is at work. */
  async function answered(count: number): Promise<void> {
    const before = proxy.answers
    while (proxy.answers < before + count) await sleep(5)
  }

  test('whose broker hangs for a while goes on when it wakes up, with nothing lost or doubled', async () => {
    const folder = await freshRun()
    const learner = start(boundedRun(folder))
    await answered(30)
    broker.kafka.signal('SIGSTOP')
    await sleep(4_000)
    broker.kafka.signal('SIGCONT')
    const ended = await learner.ended
    expect(ended, ended.stderr).toMatchObject({ code: 0 })
    expect(await outcome(folder)).toEqual(expected)
  }, 180_000)

  test('on a network that is cut stops when its patience ends, with the address; the next start ends as if nothing had been', async () => {
    const folder = await freshRun(', patience_ms: 1500')
    const learner = start(boundedRun(folder))
    await answered(30)
    proxy.cutNow()
    const ended = await learner.ended
    proxy.cut = false
    expect(ended).toMatchObject({ code: 6 })
    expect(ended.stderr).toMatch(/millrace: cannot .*: no broker of 127\.0\.0\.1:\d+ answers/)
    expect(ended.stderr).toContain('Start the broker')
    expect(await finished(folder)).toEqual(expected)
  }, 180_000)

  test('on a slow network takes longer, and ends the same', async () => {
    const folder = await freshRun()
    proxy.delayMs = 40
    try {
      expect(await finished(folder)).toEqual(expected)
    } finally {
      proxy.delayMs = 0
    }
  }, 240_000)
})
