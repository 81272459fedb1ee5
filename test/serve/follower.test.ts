/** @file A follower of the model topic: scores as the trainer does, and heals from whatever the topic does to it (law 4). */

import { describe, expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import type { UpdateChunk } from '../../src/publish/chunk.ts'
import type { Version } from '../../src/publish/publisher.ts'
import type { UpdateContent } from '../../src/publish/update.ts'
import { contentHash, decodeUpdate, encodeUpdate, UPDATE_FORMAT } from '../../src/publish/update.ts'
import { type Followed, Follower } from '../../src/serve/follower.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { followToEnd, startOffset } from '../../topology/follow-topic.ts'
import { chunksOf, probeRows, smallTrainer } from '../publish/small-trainer.ts'

const engine = plainEngine('float32')
const newFollower = (): Follower => new Follower(engine)

/** What the last chunk of each version led to. */
function take(follower: Follower, ...versions: readonly (readonly UpdateChunk[])[]): Followed[] {
  return versions.map((chunks) => {
    const results = chunks.map((chunk) => follower.follow(chunk))
    return results.at(-1) ?? { kind: 'waiting' }
  })
}

/** A version whose content was changed after it was made, hashed anew. */
function forged(version: Version, change: (update: UpdateContent) => UpdateContent): Version {
  const content = encodeUpdate(change(decodeUpdate(version.content)))
  return { ...version, content, sha256: contentHash(content) }
}

const withHeader = (version: Version, header: Partial<UpdateContent['header']>): Version =>
  forged(version, (update) => ({ ...update, header: { ...update.header, ...header } }))

const STEM = { kind: 'stem', dim: 3, tower_hidden: [4], expert_hidden: [4], wide: true }
const DML = { kind: 'ple', dim: 3, tower_hidden: [4], expert_hidden: [4], dml: {} }

test.each([
  ['mmoe', {}],
  ['stem with a wide part', { model: STEM }],
  ['ple with mutual learning', { model: DML }],
])(
  'scores of %s are bit for bit the trainer’s at every version, unseen ids included',
  (_, options) => {
    const trainer = smallTrainer(options)
    const follower = newFollower()
    for (let version = 1; version <= 6; version++) {
      const made = trainer.next()
      expect(take(follower, chunksOf(made))).toEqual([{ kind: 'applied', sequence: version }])
      expect(follower.sha256).toBe(made.sha256)
      const rows = probeRows(version)
      expect(follower.model?.score(rows)).toEqual(trainer.learner.score(rows))
      expect(follower.model?.standardisation).toEqual(Float64Array.of(3, 0.5, 1.5))
    }
    expect(follower.refusals.size).toBe(0)
  },
)

describe('what goes wrong on the topic', () => {
  test('nothing is applied before a full update', () => {
    const trainer = smallTrainer()
    trainer.next()
    const follower = newFollower()
    expect(take(follower, chunksOf(trainer.next()))).toMatchObject([
      { kind: 'refused', reason: 'gap' },
    ])
    expect(follower.model).toBeUndefined()
  })

  test('a lost delta is a gap: the last good version goes on scoring, the next full one heals', () => {
    const trainer = smallTrainer()
    const versions = Array.from({ length: 5 }, () => trainer.next())
    const follower = newFollower()
    const [first, , third, fourth, fifth] = versions.map((version) => chunksOf(version))
    take(follower, first!)
    const rows = probeRows(1)
    const good = follower.model?.score(rows)
    expect(take(follower, third!, fourth!)).toMatchObject([
      { kind: 'refused', reason: 'gap' },
      { kind: 'refused', reason: 'gap' },
    ])
    expect(follower.model?.score(rows)).toEqual(good)
    expect(take(follower, fifth!)).toEqual([{ kind: 'applied', sequence: 5 }])
    expect(follower.model?.score(rows)).toEqual(trainer.learner.score(rows))
  })

  test('another history of the same version is a fork', () => {
    const trainer = smallTrainer({}, 1)
    const other = smallTrainer({}, 2)
    const follower = newFollower()
    take(follower, chunksOf(trainer.next()), chunksOf(trainer.next()))
    other.next()
    expect(take(follower, chunksOf(other.next()))).toMatchObject([
      { kind: 'refused', reason: 'fork' },
    ])
    expect(take(follower, chunksOf(trainer.next()))).toEqual([{ kind: 'applied', sequence: 3 }])
  })

  test('a version published again after a crash is known, and its successor follows', () => {
    const trainer = smallTrainer()
    const follower = newFollower()
    const first = trainer.next()
    const second = trainer.next()
    take(follower, chunksOf(first), chunksOf(second))
    expect(take(follower, chunksOf(second, { trainer_epoch: 2 }))).toEqual([
      { kind: 'repeated', sequence: 2 },
    ])
    const third = chunksOf(trainer.next(), { trainer_epoch: 2 })
    expect(take(follower, third)).toEqual([{ kind: 'applied', sequence: 3 }])
  })

  test('any flipped bit of a body is corrupt, and the version that follows is a gap', () => {
    const trainer = smallTrainer()
    const first = chunksOf(trainer.next())
    const second = chunksOf(trainer.next())
    const third = chunksOf(trainer.next())
    for (let bit = 0; bit < second[0]!.body.length * 8; bit += 97) {
      const follower = newFollower()
      take(follower, first)
      const body = second[0]!.body.slice()
      body[bit >>> 3]! ^= 1 << (bit & 7)
      const damaged = [{ ...second[0]!, body }, ...second.slice(1)]
      expect(take(follower, damaged, third), `bit ${bit}`).toMatchObject([
        { kind: 'refused', reason: 'corrupt' },
        { kind: 'refused', reason: 'gap' },
      ])
      expect(follower.model?.header.sequence).toBe(1)
    }
  })

  test('a missing chunk is an incomplete update', () => {
    const trainer = smallTrainer()
    const chunks = chunksOf(trainer.next())
    const follower = newFollower()
    expect(chunks.length).toBeGreaterThan(2)
    const results = chunks.filter((_, i) => i !== 1).map((chunk) => follower.follow(chunk))
    expect(results[1]).toMatchObject({ kind: 'refused', reason: 'incomplete' })
    expect(follower.model).toBeUndefined()
  })

  test('a zombie is fenced: its chunks neither apply nor disturb an update that is under way', () => {
    const trainer = smallTrainer()
    const zombie = smallTrainer({}, 2)
    const follower = newFollower()
    const chunks = chunksOf(trainer.next(), { trainer_epoch: 5 })
    const late = chunksOf(zombie.next(), { trainer_epoch: 4 })
    const results = chunks.flatMap((chunk, i) => [
      follower.follow(chunk),
      ...(late[i] === undefined || i === chunks.length - 1 ? [] : [follower.follow(late[i])]),
    ])
    expect(results.at(-1)).toEqual({ kind: 'applied', sequence: 1 })
    expect(follower.refusals.get('zombie')).toBe(Math.min(late.length, chunks.length - 1))
    expect(follower.refusals.size).toBe(1)
  })

  test('another model’s updates are foreign, also under this model’s name', () => {
    const trainer = smallTrainer()
    const follower = new Follower(engine, { modelId: 'small' })
    const version = trainer.next()
    const named = withHeader(version, { model_id: 'other' })
    expect(take(follower, chunksOf(version, { model_id: 'other' }), chunksOf(named))).toMatchObject(
      [
        { kind: 'refused', reason: 'foreign' },
        { kind: 'refused', reason: 'foreign' },
      ],
    )
    expect(follower.model).toBeUndefined()
  })

  test.each([
    ['a newer format', { format: UPDATE_FORMAT + 1 }, 'foreign'],
    ['a correction that it does not know', { corrections: { negative_rate: 0.1 } }, 'foreign'],
    ['another model’s shape', { tasks: ['click', 'like'] }, 'corrupt'],
  ] as const)('%s is refused, and the last good version stays', (_, header, reason) => {
    const trainer = smallTrainer()
    const follower = newFollower()
    const versions = Array.from({ length: 5 }, () => trainer.next())
    take(follower, ...versions.slice(0, 4).map((version) => chunksOf(version)))
    const rows = probeRows(2)
    const good = follower.model?.score(rows)
    expect(take(follower, chunksOf(withHeader(versions[4]!, header)))).toMatchObject([
      { kind: 'refused', reason },
    ])
    expect(follower.model?.score(rows)).toEqual(good)
    expect(take(follower, chunksOf(versions[4]!))).toEqual([{ kind: 'applied', sequence: 5 }])
  })

  test('weights that do not give the probe’s scores are corrupt; the last good version stays, the true one follows', () => {
    const trainer = smallTrainer()
    const versions = Array.from({ length: 3 }, () => trainer.next())
    const follower = newFollower()
    take(follower, chunksOf(versions[0]!))
    const good = [1, 2, 3].map((seed) => follower.model?.score(probeRows(seed)))
    const wrong = forged(versions[1]!, (update) => ({
      ...update,
      probe: { ...update.probe, scores: update.probe.scores.map((score) => score + 0.01) },
    }))
    expect(take(follower, chunksOf(wrong))).toMatchObject([{ kind: 'refused', reason: 'corrupt' }])
    expect(follower.model?.header.sequence).toBe(1)
    expect([1, 2, 3].map((seed) => follower.model?.score(probeRows(seed)))).toEqual(good)
    expect(take(follower, chunksOf(versions[1]!), chunksOf(versions[2]!))).toMatchObject([
      { kind: 'applied' },
      { kind: 'applied' },
    ])
    const rows = probeRows(4)
    expect(follower.model?.score(rows)).toEqual(trainer.learner.score(rows))
  })

  test('an older full version of the same trainer is a replay; a new life may start over', () => {
    const trainer = smallTrainer()
    const versions = Array.from({ length: 5 }, () => trainer.next())
    const follower = newFollower()
    take(follower, ...versions.map((version) => chunksOf(version)))
    expect(take(follower, chunksOf(versions[0]!))).toMatchObject([
      { kind: 'refused', reason: 'replayed' },
    ])
    expect(follower.model?.header.sequence).toBe(5)
    const anew = chunksOf(smallTrainer({}, 2).next(), { trainer_epoch: 2 })
    expect(take(follower, anew)).toEqual([{ kind: 'applied', sequence: 1 }])
  })

  test('an update that leaves out a weight, or brings another one, is no version', () => {
    const trainer = smallTrainer()
    const version = trainer.next()
    for (const change of [
      (update: UpdateContent) => ({ ...update, dense: update.dense.slice(1) }),
      (update: UpdateContent) => ({
        ...update,
        dense: [...update.dense, { ...update.dense[0]!, name: 'more' }],
      }),
      (update: UpdateContent) => ({
        ...update,
        dense: update.dense.map((one) => ({ ...one, shape: [1, ...one.shape] })),
      }),
    ]) {
      const follower = newFollower()
      expect(take(follower, chunksOf(forged(version, change)))).toMatchObject([
        { reason: 'corrupt' },
      ])
      expect(follower.model).toBeUndefined()
    }
  })
})

describe('a late joiner', () => {
  /** A topic with seven versions, each in several records; version 5 is the newest full one. */
  async function topic() {
    const log = new MemoryLog()
    const codec = openChunkCodec()
    await log.createTopic({ topic: 'model', partitions: 1, cleanup: 'delete' })
    const trainer = smallTrainer()
    let offset = 0
    let full = 0
    for (let version = 1; version <= 7; version++) {
      const made = trainer.next()
      if (made.kind === 'full') full = offset
      const chunks = chunksOf(made, { full_offset: full })
      offset += chunks.length
      const key = new TextEncoder().encode('small')
      const records = chunks.map((chunk) => ({ key, value: codec.encode(chunk), timestampMs: 0 }))
      await log.append('model', records)
    }
    return { log, codec, trainer, full, end: offset }
  }

  test('starts at the newest full update and ends where an early follower ends', async () => {
    const { log, codec, trainer, full, end } = await topic()
    expect(await startOffset(log, 'model', codec)).toBe(full)
    const late = newFollower()
    const followed: Followed[] = []
    const at = await followToEnd(log, 'model', codec, late, undefined, (one) => followed.push(one))
    expect(at).toBe(end)
    const applied = followed.flatMap((one) => (one.kind === 'applied' ? [one.sequence] : []))
    expect(applied).toEqual([5, 6, 7])
    const early = newFollower()
    await followToEnd(log, 'model', codec, early, 0)
    const rows = probeRows(3)
    expect(late.model?.score(rows)).toEqual(trainer.learner.score(rows))
    expect(early.model?.score(rows)).toEqual(late.model?.score(rows))
    expect(late.sha256).toBe(early.sha256)
  })

  test('finds its way past records that are no chunks', async () => {
    const { log, codec, full } = await topic()
    const key = new Uint8Array(0)
    await log.append('model', [{ key, value: Uint8Array.of(1, 2, 3), timestampMs: 0 }])
    expect(await startOffset(log, 'model', codec)).toBe(full)
  })
})
