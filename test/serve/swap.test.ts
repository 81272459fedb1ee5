/** @file A version is swapped beside other work: up to the last slice every score is of the version before, then of the new one. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { exportRows } from '../../src/embeddings/table-rows.ts'
import { PackedRows } from '../../src/publish/packed-rows.ts'
import { contentHash, decodeUpdate, encodeUpdate } from '../../src/publish/update.ts'
import { Follower } from '../../src/serve/follower.ts'
import { ServedModel } from '../../src/serve/served-model.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { chunksOf, probeRows, type SmallTrainer, smallTrainer } from '../publish/small-trainer.ts'

const ROWS = probeRows(4)

/** The next version with some thousand rows more, so that it takes several slices. */
function large(trainer: SmallTrainer) {
  const version = trainer.next()
  const { table } = trainer.learner.parts
  for (let id = 0; id < 2_500; id++) table.insertOne(9, version.sequence * 10_000 + id)
  const update = decodeUpdate(version.content)
  const rows = Uint32Array.from({ length: table.rows }, (_, row) => row)
  const content = encodeUpdate({
    ...update,
    rows: PackedRows.exact(exportRows(table, rows), update.header.table.width),
  })
  return { ...version, content, sha256: contentHash(content) }
}

test('a delta: no slice but the last changes a score', () => {
  const trainer = smallTrainer()
  const served = ServedModel.of(plainEngine(), decodeUpdate(trainer.next().content))
  for (let version = 2; version <= 4; version++) {
    const before = served.score(ROWS)
    const slices = served.applying(decodeUpdate(large(trainer).content))
    let seen = 0
    for (; slices.next().done !== true; seen++) {
      expect(served.score(ROWS)).toEqual(before)
      expect(served.header.sequence).toBe(version - 1)
    }
    expect(seen).toBeGreaterThan(2)
    const after = trainer.learner.score(ROWS)
    expect(served.score(ROWS)).toEqual(after)
    expect(after).not.toEqual(before)
    expect(served.header.sequence).toBe(version)
    // Every second time the rows are not in the table yet when the next version comes.
    if (version % 2 === 1) continue
    let settled = 0
    for (const _ of served.settling()) {
      expect(served.score(ROWS)).toEqual(after)
      settled += 1
    }
    expect(settled).toBeGreaterThan(1)
    expect(served.score(ROWS)).toEqual(after)
  }
})

test('a delta that turns out not to load leaves every score as it was', () => {
  const trainer = smallTrainer()
  const served = ServedModel.of(plainEngine(), decodeUpdate(trainer.next().content))
  const before = served.score(ROWS)
  const update = decodeUpdate(large(trainer).content)
  const scores = update.probe.scores.map((score) => score + 0.01)
  expect(() => served.apply({ ...update, probe: { ...update.probe, scores } })).toThrow('probe')
  expect(served.score(ROWS)).toEqual(before)
  served.apply(update)
  expect(served.score(ROWS)).toEqual(trainer.learner.score(ROWS))
})

test('followed in turns, full versions and deltas: others have many turns, and each sees a whole version', async () => {
  const trainer = smallTrainer()
  const follower = new Follower(plainEngine())
  const expected = new Map<number, Float32Array>()
  for (let n = 1; n <= 5; n++) {
    const version = trainer.next()
    expected.set(n, trainer.learner.score(ROWS))
    let turns = 0
    let loading = true
    const following = (async () => {
      for (const chunk of chunksOf(version, {}, 300)) await follower.followInTurns(chunk)
      loading = false
    })()
    while (loading) {
      const { model } = follower
      if (model !== undefined) {
        expect([n - 1, n]).toContain(model.header.sequence)
        expect(model.score(ROWS)).toEqual(expected.get(model.header.sequence))
      }
      turns += 1
      await nextTurn()
    }
    await following
    expect(follower.model?.header.sequence).toBe(n)
    expect(turns).toBeGreaterThan(2)
  }
})
