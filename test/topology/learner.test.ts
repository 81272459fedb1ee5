/** @file The learner from end to end on an embedded log: laws 1, 3, 5 and 7. */

import { describe, expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import type { Position, RecordBatch, TopicLog } from '../../src/broker/topic-log.ts'
import { unaccounted } from '../../src/observe/accounting.ts'
import type { Report } from '../../src/observe/report.ts'
import { randomFrom } from '../../src/random.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openLearner } from '../../topology/open-learner.ts'
import { learnWhole } from './learn-whole.ts'
import { frozenClock, produceWorld, smallJob, temporaryFolder } from './temporary-job.ts'

const IMPRESSIONS = 1_500

/** The same log, cut into other polls: every read gives some of the records that it could. */
function cutDifferently(log: TopicLog, seed: number): TopicLog {
  const random = randomFrom(seed)
  const read = async (
    positions: readonly Position[],
    max: number,
  ): Promise<readonly RecordBatch[]> => {
    const chosen = positions.filter(() => random.uniform() < 0.7)
    const some = chosen.length > 0 ? chosen : positions
    return log.read(some, 1 + random.integer(Math.min(max, 300)))
  }
  return new Proxy(log, {
    get: (target, name) => {
      if (name === 'read') return read
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function runOnce(folder: string, log: TopicLog) {
  return learnWhole({ job: smallJob(folder), log, engine: plainEngine('float32') })
}

async function worldLog(): Promise<TopicLog> {
  const log = new MemoryLog()
  await produceWorld(smallJob(temporaryFolder()), log, IMPRESSIONS)
  return log
}

describe('a learner', () => {
  test('turns every record into a sample or a counted, named output', async () => {
    const { stages, reports } = await runOnce(temporaryFolder(), await worldLog())
    const accounting = stages.intake.accounting()
    expect(accounting.map(unaccounted)).toEqual([0, 0, 0])
    expect(accounting.map(({ open }) => open)).toEqual([0, 0, 0])
    expect(stages.learner.samples).toBe(accounting[0]?.joined)
    expect(stages.predictions.rows).toBe(stages.learner.samples)
    expect(reports.filter(({ kind }) => kind === 'published').length).toBe(
      Math.ceil(stages.learner.samples / 300),
    )
  })

  test('ends in the same state however the log is cut into polls', async () => {
    const log = await worldLog()
    const whole = await runOnce(temporaryFolder(), log)
    const expected = publishedHashes(whole.reports)
    for (const seed of [1, 2, 3]) {
      const other = await worldLog()
      const cut = await runOnce(temporaryFolder(), cutDifferently(other, seed))
      expect(publishedHashes(cut.reports), `seed ${seed}`).toEqual(expected)
      expect(cut.run.stateHash(), `seed ${seed}`).toBe(whole.run.stateHash())
    }
  })

  test('is the only one in its state folder; the next one is told who is there', async () => {
    const folder = temporaryFolder()
    const open = async () =>
      openLearner({
        job: smallJob(folder),
        log: await worldLog(),
        engine: plainEngine('float32'),
        clock: frozenClock,
        report: () => undefined,
      })
    const first = await open()
    await expect(open()).rejects.toThrow(/the state of job small in .* already has a writer/)
    await first.close()
    const second = await open()
    await second.close()
  })
})

function publishedHashes(reports: readonly Report[]): string[] {
  return reports.flatMap((report) => (report.kind === 'published' ? [report.sha256] : []))
}
