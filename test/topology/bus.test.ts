/** @file The bus section of a job -> options of the Kafka log: variables, files and secrets. */

import { writeFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { busOptions, type KafkaBusOptions } from '../../src/settings/bus-options.ts'
import { kafkaOptions, openBus } from '../../topology/bus.ts'
import { temporaryFolder } from './temporary-job.ts'

function kafkaBus(settings: object = {}): KafkaBusOptions {
  const bus = busOptions.parse({ kind: 'kafka', brokers: ['one:9092'], ...settings })
  if (bus.kind !== 'kafka') throw new Error('a Kafka bus is expected')
  return bus
}

describe('kafkaOptions', () => {
  test('gives what the defaults say', () => {
    expect(kafkaOptions(kafkaBus(), {})).toEqual({
      brokers: ['one:9092'],
      clientId: 'millrace',
      compression: 'none',
      maxRecordBytes: 1_048_576,
      patienceMs: 60_000,
    })
  })

  test('lets one text name several brokers', () => {
    const { brokers } = kafkaOptions(kafkaBus({ brokers: ['a:1, b:2', 'c:3'] }), {})
    expect(brokers).toEqual(['a:1', 'b:2', 'c:3'])
  })

  test.each(['localhost', 'kafka://one:9092', 'one:port', ''])(
    'refuses the broker %j',
    (broker) => {
      const bus = { ...kafkaBus(), brokers: [broker] }
      expect(() => kafkaOptions(bus, {})).toThrow(`bus.brokers has "${broker}"`)
    },
  )

  test('reads passwords and keys where the job says, and shows neither', () => {
    const folder = temporaryFolder()
    writeFileSync(`${folder}/ca.pem`, 'authority')
    writeFileSync(`${folder}/client.pem`, 'certificate')
    writeFileSync(`${folder}/client.key`, 'secret key\n')
    const options = kafkaOptions(
      kafkaBus({
        tls: true,
        tls_authorities: `${folder}/ca.pem`,
        tls_certificate: `${folder}/client.pem`,
        tls_key: { from_file: `${folder}/client.key` },
        sasl: { mechanism: 'plain', username: 'ada', password: { from_env: 'PASSWORD' } },
      }),
      { PASSWORD: 'hunter2' },
    )
    expect(options.tls).toMatchObject({ authorities: 'authority', certificate: 'certificate' })
    expect(options.tls?.key?.reveal()).toBe('secret key')
    expect(options.sasl?.password.reveal()).toBe('hunter2')
    expect(inspect(options, { depth: 9 }) + JSON.stringify(options)).not.toMatch(
      /hunter2|secret key/,
    )
  })

  test('names a file that is not there', () => {
    const bus = kafkaBus({ tls: true, tls_authorities: '/nowhere/ca.pem' })
    expect(() => kafkaOptions(bus, {})).toThrow('cannot read /nowhere/ca.pem')
  })
})

test('a variable in the bus section that is not set is named before anything is opened', async () => {
  await expect(openBus(kafkaBus({ brokers: [`\${KAFKA}`] }), {})).rejects.toMatchObject({
    code: 'BAD_SETTINGS',
    message: expect.stringContaining('KAFKA is not set'),
  })
})

describe('the bus section', () => {
  test.each([
    [{ tls_authorities: 'ca.pem' }, 'tls_authorities', 'needs tls: true'],
    [{ tls: true, tls_certificate: 'c.pem' }, 'tls_certificate', 'go together'],
    [{ tls: true, tls_key: { from_file: 'k' } }, 'tls_key', 'go together'],
  ])('refuses %j', (settings, at, message) => {
    const parsed = busOptions.safeParse({ kind: 'kafka', brokers: ['one:9092'], ...settings })
    const issues = parsed.error?.issues.map((issue) => [issue.path.join('.'), issue.message])
    expect(issues).toEqual([[at, expect.stringContaining(message)]])
  })
})
