/** @file What a person reads when Kafka does not do as told: place, reason and remedy, and never the password. */

import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { type KafkaLog, openKafkaLog } from '../../src/broker/kafka-log/kafka-log.ts'
import { type KafkaLogOptions, SASL_MECHANISMS } from '../../src/broker/options.ts'
import { Secret } from '../../src/settings/environment.ts'
import { record } from '../contracts/topic-log-probe.ts'
import { plainClient, withBroker } from './real-broker.ts'

const USERS = { ada: 'difference-engine' }
const password = (text: string) => new Secret(text)

const opened: KafkaLog[] = []
async function open(options: KafkaLogOptions): Promise<KafkaLog> {
  const log = await openKafkaLog(options)
  opened.push(log)
  return log
}
afterEach(async () => {
  for (const log of opened.splice(0)) await log.close()
})

test('an address where nothing listens is named, with what to do', async () => {
  await expect(open({ brokers: ['127.0.0.1:9'], patienceMs: 500 })).rejects.toMatchObject({
    code: 'BROKER',
    message: expect.stringMatching(/no broker of 127\.0\.0\.1:9 answers .*ECONNREFUSED/),
    remedy: expect.stringContaining('bus.brokers'),
  })
})

withBroker(
  'a broker with logins and encryption',
  { listeners: ['plaintext', 'sasl', 'tls', 'sasl_tls'], users: USERS },
  (broker) => {
    const sasl = (mechanism: (typeof SASL_MECHANISMS)[number], text = USERS.ada) => ({
      sasl: { mechanism, username: 'ada', password: password(text) },
    })
    const tls = () => ({ tls: { authorities: readFileSync(broker.kafka.authority, 'utf8') } })
    const at = (listener: Parameters<typeof broker.kafka.address>[0]) => ({
      brokers: [broker.kafka.address(listener)],
    })

    async function works(log: KafkaLog): Promise<void> {
      await log.createTopic({ topic: 'events', partitions: 1, cleanup: 'delete' })
      const [position] = await log.append('events', [record('k', 'v')])
      if (position === undefined) throw new Error('nothing was appended')
      const [batch] = await log.read([position], 1)
      expect(batch?.records).toHaveLength(1)
    }

    describe.each(SASL_MECHANISMS)('%s', (mechanism) => {
      test('lets the right password in, with and without TLS', async () => {
        await works(await open({ ...at('sasl'), ...sasl(mechanism) }))
        await works(await open({ ...at('sasl_tls'), ...sasl(mechanism), ...tls() }))
      })

      test('says who was refused, and not with which password', async () => {
        const wrong = 'hunter2-hunter2'
        const refused = await open({ ...at('sasl'), ...sasl(mechanism, wrong) }).catch(
          (error: unknown) => error,
        )
        expect(refused).toMatchObject({
          code: 'BROKER',
          message: expect.stringContaining(`does not let ada by ${mechanism} in`),
          remedy: expect.stringContaining('bus.sasl'),
        })
        expect(inspect(refused, { depth: 20 })).not.toContain(wrong)
      })
    })

    test('TLS is believed with its authority, and refused without', async () => {
      await works(await open({ ...at('tls'), ...tls() }))
      await expect(open({ ...at('tls'), tls: {} })).rejects.toMatchObject({
        code: 'BROKER',
        message: expect.stringContaining('no encrypted connection'),
        remedy: expect.stringContaining('bus.tls'),
      })
    })

    test.each(['sasl', 'tls'] as const)(
      'a client that does not speak as the %s listener does is told so',
      async (listener) => {
        await expect(open({ ...at(listener), patienceMs: 500 })).rejects.toMatchObject({
          code: 'BROKER',
          message: expect.stringContaining('(without TLS, without credentials)'),
          remedy: expect.stringContaining('hangs up'),
        })
      },
    )

    test('more copies than brokers', async () => {
      const log = await open({ ...at('plaintext'), replication: 3 })
      await expect(
        log.createTopic({ topic: 'copies', partitions: 1, cleanup: 'delete' }),
      ).rejects.toMatchObject({
        code: 'BROKER',
        message: expect.stringContaining('INVALID_REPLICATION_FACTOR'),
        remedy: expect.stringContaining('bus.replication'),
      })
    })

    test('a record that the topic does not take, though the log would', async () => {
      const admin = plainClient(broker.brokers).admin()
      await admin.connect()
      const configEntries = [{ name: 'max.message.bytes', value: '10000' }]
      await admin.createTopics({ topics: [{ topic: 'narrow', numPartitions: 1, configEntries }] })
      await admin.disconnect()
      const log = await open(at('plaintext'))
      await expect(log.append('narrow', [record('k', 'x'.repeat(20_000))])).rejects.toMatchObject({
        code: 'BROKER',
        message: expect.stringContaining('cannot append to narrow'),
        remedy: expect.stringContaining('max.message.bytes'),
      })
      await log.append('narrow', [record('k', 'small again')])
      expect((await log.bounds('narrow'))[0]?.latest).toBe(1)
    })

    test('a position that retention took away is said, with the first that is kept', async () => {
      const log = await open(at('plaintext'))
      await log.createTopic({ topic: 'short', partitions: 1, cleanup: 'delete' })
      await log.append(
        'short',
        ['a', 'b', 'c'].map((value) => record('k', value)),
      )
      const admin = plainClient(broker.brokers).admin()
      await admin.connect()
      // Without the metadata that this loads, kafkajs does not find the partition.
      await admin.fetchTopicOffsets('short')
      await admin.deleteTopicRecords({
        topic: 'short',
        partitions: [{ partition: 0, offset: '2' }],
      })
      await admin.disconnect()
      await expect(
        log.read([{ topic: 'short', partition: 0, offset: 0 }], 5),
      ).rejects.toMatchObject({
        code: 'BROKER',
        message: 'offset 0 of short/0 is no longer kept, the first is 2',
      })
    })

    test('the lines of the client go where they are sent, and nowhere else', async () => {
      const lines: string[] = []
      const options = { brokers: ['127.0.0.1:9'], patienceMs: 0 }
      await expect(
        open({ ...options, onClientLine: ({ message }) => lines.push(message) }),
      ).rejects.toThrow()
      expect(lines.join('\n')).toContain('ECONNREFUSED')
    })
  },
)
