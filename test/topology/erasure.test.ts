/** @file A tombstone reaches everything that was learned of a user: tables, the join, feature state, and followers by the updates. */

import { expect, test } from 'vitest'
import { ValueKeys } from '../../src/features/value-key.ts'
import { Follower } from '../../src/serve/follower.ts'
import { parseJob } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { followToEnd } from '../../topology/follow-topic.ts'
import { learnWhole } from './learn-whole.ts'
import { jobText, openJobLog, produceWorld, temporaryFolder } from './temporary-job.ts'
import { appendTombstones, withTombstones } from './tombstones.ts'

const engine = plainEngine('float32')

/** The user that the simulated app shows most to. */
const USER = 'u0'

/** Key of a user in the slot of that name. */
function keyOf(slot: string, user: string): { hi: number; lo: number } {
  const keys = new ValueKeys()
  const key = { hi: 0, lo: 0 }
  keys.write(user, keys.slotSeed(slot), key)
  return key
}

async function learned(users: readonly { readonly user: string; readonly after: number }[]) {
  const folder = temporaryFolder()
  const text = withTombstones(jobText(folder)).replace('join:', 'join:\n  emission: staged')
  const job = parseJob(`${folder}/job.yaml`, text)
  const log = await openJobLog(job)
  await produceWorld(job, log, 600)
  await appendTombstones(job, log, users)
  const { stages, reports } = await learnWhole({ job, log, engine })
  const follower = new Follower(engine)
  const seen: boolean[] = []
  await followToEnd(log, 'model', openChunkCodec(), follower, 0, ({ kind }) => {
    if (kind === 'applied') seen.push(rowIn(follower.model?.state.tables.get('user_seen')))
  })
  await log.close()
  return { stages, follower, seen, reports }
}

/** Whether a table of `last_seen` of the user has a row of USER. */
function rowIn(table: { findOne(hi: number, lo: number): number } | undefined): boolean {
  const keys = new ValueKeys()
  const { hi, lo } = keyOf('user', USER)
  const key = { hi: 0, lo: 0 }
  keys.writeCross(Uint32Array.of(hi, lo), keys.slotSeed('user_seen'), key)
  return table !== undefined && table.findOne(key.hi, key.lo) >= 0
}

test('after a tombstone no table, no open impression and no follower has anything of the user', async () => {
  const { stages, follower, seen, reports } = await learned([{ user: USER, after: 115_000 }])
  const { hi, lo } = keyOf('user', USER)
  expect(stages.table.findOne(hi, lo)).toBe(-1)
  expect(rowIn(stages.featureState.tables.get('user_seen'))).toBe(false)
  // It had been published before, and the last delta took it away.
  expect(seen.length).toBeGreaterThan(1)
  expect(seen.at(0)).toBe(true)
  expect(seen.at(-1)).toBe(false)
  expect(follower.refusals.size).toBe(0)
  expect(follower.model?.rows).toBe(stages.table.used)
  for (const [name, table] of stages.featureState.tables) {
    expect(follower.model?.state.tables.get(name)?.used, name).toBe(table.used)
  }
  // Impressions whose like was still to come are in a place of their own.
  const [tombstones, impressions] = stages.intake.accounting()
  expect(tombstones).toMatchObject({ kind: 'erasure', in: 1, joined: 1, open: 0 })
  expect(impressions?.erased).toBeGreaterThan(0)
  expect(stages.firstPredictions.size + stages.openPredictions.size).toBe(0)
  const tables = reports.findLast(({ kind }) => kind === 'tables')
  expect(tables).toMatchObject({ erasedUsers: 1 })
}, 60_000)

test('what the user does after the tombstone is learned as that of anybody new', async () => {
  const early = await learned([{ user: USER, after: 20_000 }])
  const { hi, lo } = keyOf('user', USER)
  expect(early.stages.table.findOne(hi, lo)).toBeGreaterThanOrEqual(0)
  expect(early.seen.at(-1)).toBe(true)
  expect(early.stages.userErasure?.users).toBe(1)
}, 60_000)
