/** @file Appends and waits when the broker goes away or its acknowledgement does: nothing lost, nothing doubled, order kept. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, expect, test } from 'vitest'
import { type KafkaLog, openKafkaLog } from '../../src/broker/kafka-log/kafka-log.ts'
import { readAll, record } from '../contracts/topic-log-probe.ts'
import { openLossyProxy } from './lossy-proxy.ts'
import { deleteTopics, withBroker } from './real-broker.ts'

const proxy = await openLossyProxy()
afterAll(() => proxy.close())

const START = { topic: 'events', partition: 0, offset: 0 }

/** Clients are told to come back through the proxy. */
const advertised = {
  properties: {
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${proxy.port}`,
  },
}

withBroker('delivery', advertised, (broker) => {
  const opened: KafkaLog[] = []
  async function open(): Promise<KafkaLog> {
    proxy.target = Number(broker.kafka.address().split(':')[1])
    const log = await openKafkaLog({ brokers: [`127.0.0.1:${proxy.port}`] })
    opened.push(log)
    await log.createTopic({ topic: 'events', partitions: 1, cleanup: 'delete' })
    return log
  }
  afterEach(async () => {
    for (const log of opened.splice(0)) await log.close()
    await deleteTopics([`127.0.0.1:${proxy.port}`])
  })

  test('an append whose acknowledgement is lost is found on the log, and not sent again', async () => {
    const log = await open()
    await log.append('events', [record('k', 'before')])
    proxy.loseAcknowledgements = 2
    const lostBefore = proxy.lost
    const positions = await log.append('events', [record('k', 'a'), record('k', 'b')])
    expect(proxy.lost - lostBefore).toBe(1)
    expect(positions.map(({ offset }) => offset)).toEqual([1, 2])
    await log.append('events', [record('k', 'after')])
    expect(proxy.lost - lostBefore).toBe(2)
    expect(await readAll(log, START, 10)).toEqual([
      [0, 'k', 'before', 0],
      [1, 'k', 'a', 0],
      [2, 'k', 'b', 0],
      [3, 'k', 'after', 0],
    ])
  })

  test('an append that arrived before a kill -9, and whose acknowledgement did not, is there once, however old its time', async () => {
    const log = await open()
    await log.append('events', [record('k', 'before')])
    proxy.loseAcknowledgements = 1
    proxy.cutAfterLoss = true
    const appended = log.append('events', [record('k', 'a'), record('k', 'b')])
    while (!proxy.cut) await sleep(5)
    proxy.cutAfterLoss = false
    // A broker forgets producers whose last record is a day old when it recovers its log, and theirs are from 1970.
    await broker.kafka.kill()
    await broker.kafka.start()
    proxy.cut = false
    expect((await appended).map(({ offset }) => offset)).toEqual([1, 2])
    await log.append('events', [record('k', 'after')])
    expect(await readAll(log, START, 10)).toEqual([
      [0, 'k', 'before', 0],
      [1, 'k', 'a', 0],
      [2, 'k', 'b', 0],
      [3, 'k', 'after', 0],
    ])
  })

  test('appends over a kill -9 of the broker arrive once, in order', async () => {
    const log = await open()
    const values = Array.from({ length: 400 }, (_, i) => `v${i}`)
    const killed = sleep(50).then(async () => {
      await broker.kafka.kill()
      await broker.kafka.start()
    })
    for (let i = 0; i < values.length; i += 4) {
      await log.append(
        'events',
        values.slice(i, i + 4).map((value) => record('k', value)),
      )
    }
    await killed
    // Past the kill as well, whichever was faster.
    await log.append('events', [record('k', 'last')])
    const read = await readAll(log, START, 100)
    expect(read).toEqual([...values, 'last'].map((value, i) => [i, 'k', value, 0]))
  })

  test('a wait over a restart of the broker sees what comes after it', async () => {
    const log = await open()
    const waiting = log.waitForRecords([START], 60_000)
    await broker.kafka.restart()
    await log.append('events', [record('k', 'v')])
    expect(await waiting).toBe(true)
  })

  test('a broker that stays away ends patience with its address and what to do', async () => {
    const log = await openKafkaLog({ brokers: [`127.0.0.1:${proxy.port}`], patienceMs: 1_000 })
    opened.push(log)
    await log.createTopic({ topic: 'events', partitions: 1, cleanup: 'delete' })
    await broker.kafka.stop()
    await expect(log.append('events', [record('k', 'v')])).rejects.toMatchObject({
      code: 'BROKER',
      message: expect.stringMatching(
        /cannot append to events: no broker of 127\.0\.0\.1:\d+ answers/,
      ),
      remedy: expect.stringContaining('Start the broker'),
    })
    await broker.kafka.start()
    // A connection is taken before the partition has its leader again: longer than this log has patience.
    await (await open()).bounds('events')
    const [position] = await log.append('events', [record('k', 'again')])
    expect(position?.offset).toBe(0)
  })
})
