import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { KeyFields } from '../../src/events/event-kind.ts'
import { EventJoiner } from '../../src/join/event-joiner.ts'
import type { JoinOutputs } from '../../src/join/join-outputs.ts'
import type { Emission } from '../../src/join/options.ts'
import { total, unaccounted } from '../../src/observe/accounting.ts'
import { cuts } from '../contracts/stage.contract.ts'
import { batchJoin } from '../oracle/batch-join.ts'
import { merged } from './drawn-history.ts'
import { expectSame } from './join-expectations.ts'
import { kuairandStream, readKuairandLog } from './kuairand-log.ts'

const FOLDER = resolve(process.env.KUAIRAND_DIR ?? '../shared/data/kuairand')
const LOG = `${FOLDER}/log_standard_0425_0430.csv.gz`
const present = existsSync(LOG)

if (!present) console.warn(`KUAIRAND IS ABSENT: there is no ${LOG}; the join of it is NOT tested`)

const MINUTE = 60_000
const settings = {
  latenessMs: 10 * MINUTE,
  dedupe: { withinMs: 180 * MINUTE, maxIds: 1_000_000 },
  tasks: [
    { name: 'click', kind: 'click', windowMs: MINUTE },
    { name: 'like', kind: 'like', windowMs: 5 * MINUTE },
    { name: 'share', kind: 'share', windowMs: 60 * MINUTE },
  ],
  retentionMs: 240 * MINUTE,
}

describe.skipIf(!present && process.env.CI === undefined)('the join of KuaiRand', () => {
  it.each<[KeyFields, Emission]>([
    ['impression', 'wait'],
    [['user', 'item'], 'staged'],
  ])(
    'keyed by %j with emission %s equals the oracle and accounts for every row',
    (key, emission) => {
      expect(present, `${FOLDER} must hold KuaiRand in CI`).toBe(true)
      const rows = readKuairandLog(LOG)
      const { inputs, partitions, arrivals } = kuairandStream(rows, key)
      const { tasks, retentionMs, ...memory } = settings
      const options = { inputs, ...memory, join: { tasks, retentionMs, emission } }
      const joiner = new EventJoiner(options)
      const calls: JoinOutputs[] = []
      const polls = Array.from({ length: 2000 }, (_, n) => (n * 37) % 181)
      for (const poll of cuts(arrivals, polls)) calls.push(joiner.push(poll))
      const running = calls.reduce((sum, call) => sum + call.samples.length, 0)
      calls.push(joiner.flush())
      const outputs = merged(calls)

      const accounting = joiner.accounting()
      const [impressions, ...feedback] = accounting
      expect(impressions).toMatchObject({ in: 94_784, duplicates: 2_979, orphans: 0, open: 0 })
      expect(impressions?.joined).toBe(94_784 - 2_979 - total(impressions?.late ?? {}))
      expect(accounting.map(unaccounted)).toEqual([0, 0, 0, 0])
      // The log's own lateness: 5 to 15 % of the rows are known more than 7.6 minutes after they happened.
      expect(impressions?.late['out-of-order']).toBeGreaterThan(100)
      expect(feedback.map(({ kind }) => kind)).toEqual(['click', 'like', 'share'])
      for (const { joined } of feedback) expect(joined).toBeGreaterThan(20)
      expect(feedback.some(({ late }) => late['after-window'] > 0)).toBe(true)
      expect(running).toBeGreaterThan(outputs.samples.length * 0.9)
      expectSame(outputs, batchJoin(partitions, options))
    },
  )
})
