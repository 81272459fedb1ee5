/** @file Law 3 on a bus that takes its time: when an append is acknowledged decides nothing about what a version holds. */

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import type { TopicLog } from '../../src/broker/topic-log.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { learnWhole } from './learn-whole.ts'
import { produceWorld, smallJob, temporaryFolder } from './temporary-job.ts'

/** The same log, whose appends are acknowledged some milliseconds later. */
function slowToAppend(log: TopicLog, ms: number): TopicLog {
  const append: TopicLog['append'] = async (topic, records) => {
    await sleep(ms)
    return log.append(topic, records)
  }
  return new Proxy(log, {
    get: (target, name) => {
      if (name === 'append') return append
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

async function stateAfter(wrap: (log: TopicLog) => TopicLog): Promise<string> {
  const log = new MemoryLog()
  await produceWorld(smallJob(temporaryFolder()), log, 800)
  const job = smallJob(temporaryFolder())
  const { run } = await learnWhole({ job, log: wrap(log), engine: plainEngine('float32') })
  await log.close()
  return run.stateHash()
}

test('a bus that acknowledges late ends in the same state, with the same chain of versions', async () => {
  const prompt = await stateAfter((log) => log)
  expect(await stateAfter((log) => slowToAppend(log, 20))).toBe(prompt)
})
