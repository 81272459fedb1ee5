/** @file Patience ends when it should, whatever the garbage collector takes meanwhile; no broker is needed. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { KafkaJSConnectionError } from 'kafkajs'
import { expect, test } from 'vitest'
import { patiently } from '../../src/broker/kafka-log/patience.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function away(): never {
  throw new KafkaJSConnectionError('no broker')
}

test('an operation that fails again and again ends when patience does, collections or not', async () => {
  let tries = 0
  const trying = patiently(
    async () => {
      tries += 1
      collect()
      return away()
    },
    { patienceMs: 700, closing: new AbortController().signal, onFailure: collect },
  )
  await expect(trying).rejects.toThrow('no broker')
  expect(tries).toBeGreaterThan(2)
}, 20_000)

test('closing ends it before that', async () => {
  const closing = new AbortController()
  const trying = patiently(async () => away(), { patienceMs: 600_000, closing: closing.signal })
  closing.abort()
  await expect(trying).rejects.toThrow('no broker')
})
