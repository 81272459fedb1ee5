/** @file The publisher: when a version is due, what is in it, and that a saved one goes on with the same chain (laws 2 and 3). */

import { expect, test } from 'vitest'
import { decodeUpdate } from '../../src/publish/update.ts'
import { randomBatches, restored } from '../train/small-learner.ts'
import { MOMENT, publisherOf, smallTrainer } from './small-trainer.ts'

test('versions count from 1, one in four is full, each names its parent', () => {
  const trainer = smallTrainer()
  const versions = Array.from({ length: 9 }, () => trainer.next())
  expect(versions.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  const kinds = versions.map(({ kind }) => kind[0])
  expect(kinds.join('')).toBe('fdddfdddf')
  versions.forEach(({ parentSha256 }, i) => {
    expect(parentSha256).toBe(versions[i - 1]?.sha256 ?? '')
  })
})

test('a version is due when the samples cross a multiple of the interval, and once for each crossing', () => {
  const { learner, publisher } = smallTrainer()
  let published = 0
  for (const { features, labels } of randomBatches(30, 3)) {
    const before = Math.floor(learner.samples / 20)
    learner.learn(features, labels)
    publisher.observe(features, 0)
    expect(publisher.due, `${learner.samples} samples`).toBe(
      Math.floor(learner.samples / 20) > before,
    )
    expect(publisher.stale).toBe(true)
    if (!publisher.due) continue
    publisher.commit(publisher.draft(MOMENT))
    published += 1
    expect(publisher.stale).toBe(false)
  }
  expect(published).toBe(Math.floor(learner.samples / 20))
})

test('a delta has the rows touched since its parent, a full version has all', () => {
  const trainer = smallTrainer()
  trainer.next(8)
  const { table } = trainer.learner.parts
  const delta = decodeUpdate(trainer.next(1).content)
  expect(delta.rows.keys.length / 2).toBeLessThan(table.rows)
  expect(delta.rows.keys.length).toBeGreaterThan(0)
  trainer.next(0)
  const idle = decodeUpdate(trainer.next(0).content)
  expect(idle.rows.keys).toHaveLength(0)
  const full = decodeUpdate(trainer.next(0).content)
  expect(full.header.kind).toBe('full')
  expect(full.rows.keys.length / 2).toBe(table.rows)
})

test('the same stream gives the same hashes, and another stream others', () => {
  const hashes = (data: number): string[] => {
    const trainer = smallTrainer({}, data)
    return Array.from({ length: 5 }, () => trainer.next().sha256)
  }
  expect(hashes(1)).toEqual(hashes(1))
  const other = new Set(hashes(2))
  expect(hashes(1).filter((hash) => other.has(hash))).toEqual([])
})

test('saved between any two versions it publishes the same chain', () => {
  const trainer = smallTrainer()
  for (let version = 1; version <= 6; version += 2) {
    trainer.next()
    const copy = publisherOf(restored(trainer.learner, {}))
    copy.restore(trainer.publisher.snapshot().slice())
    const before = trainer.publisher.snapshot().slice()
    expect(copy.snapshot()).toEqual(before)
    expect(copy.commit(copy.draft(MOMENT)).sha256, `after version ${version}`).toBe(
      trainer.next(0).sha256,
    )
  }
})
