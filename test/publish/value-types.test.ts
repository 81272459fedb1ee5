/** @file Versions with rounded values: the probe is of what was published, bit for bit, and nothing adds up over deltas. */

import { expect, test } from 'vitest'
import { slotOf } from '../../src/embeddings/row-slot.ts'
import { type RowTypeOptions, RowTypes } from '../../src/publish/row-types.ts'
import { decodeUpdate } from '../../src/publish/update.ts'
import type { ValueType } from '../../src/publish/value-type.ts'
import { Follower } from '../../src/serve/follower.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { chunksOf, probeRows, smallTrainer } from './small-trainer.ts'

const mixed: RowTypeOptions = { byDefault: 'float32', bySlot: ['int8', 'float16'] }
const cases: [string, RowTypeOptions][] = [
  ['float16', { byDefault: 'float16' }],
  ['int8', { byDefault: 'int8' }],
  ['a type per slot', mixed],
]

test.each(cases)(
  '%s: a follower scores exactly as the trainer does with rounded rows, delta after delta',
  (_, values) => {
    const trainer = smallTrainer({ values, slot: true })
    const { learner } = trainer
    const types = new RowTypes(learner.parts.table, values)
    const follower = new Follower(plainEngine())
    const exact = smallTrainer({ slot: true })
    for (let version = 1; version <= 8; version++) {
      const made = trainer.next()
      const followed = chunksOf(made).map((chunk) => follower.follow(chunk))
      expect(followed.at(-1)).toEqual({ kind: 'applied', sequence: version })
      const rows = probeRows(version)
      const rounded = learner.score(rows, (...read) => types.round(...read))
      expect(follower.model?.score(rows)).toEqual(rounded)
      expect(rounded).not.toEqual(learner.score(rows))
      // What is learned knows nothing of how it is published.
      exact.next()
      expect(learner.score(rows)).toEqual(exact.learner.score(rows))
      const { probe } = decodeUpdate(made.content)
      expect(probe.scores).toEqual(learner.score(probe.features, (...read) => types.round(...read)))
    }
  },
)

test('a row has the type of the slot that brought its key', () => {
  const { learner, next } = smallTrainer({ values: mixed, slot: true })
  next(20)
  const { table } = learner.parts
  // The first half of a key of the small learner is 1 in the first slot and 2 in the second.
  for (let row = 0; row < table.rows; row++) {
    const key = new Uint32Array(1)
    table.readWords(row, 0, 1, key, 0)
    expect(slotOf(table, row)).toBe(key[0]! - 1)
  }
  const typesOf = (keys: Uint32Array): Set<number> => new Set(keys.filter((_, i) => i % 2 === 0))
  const rows = new RowTypes(table, mixed).export(
    Uint32Array.from({ length: table.rows }, (_, i) => i),
  )
  // Blocks stand in the order float32, float16, int8: here float16, then int8.
  const pieces = [...rows.pieces(1e9)]
  expect(pieces.map(({ keys }) => [...typesOf(keys)])).toEqual([[2], [1]])
})

test.each<[ValueType, number]>([
  ['float16', 0.6],
  ['int8', 0.5],
])('a full version of %s has at most %d of the bytes of its rows', (byDefault, share) => {
  const size = (values: RowTypeOptions): number => {
    const trainer = smallTrainer({ values, model: { kind: 'mmoe', dim: 16, wide: true } })
    return decodeUpdate(trainer.next(20).content).rows.bytes
  }
  expect(size({ byDefault })).toBeLessThan(share * size({ byDefault: 'float32' }))
})
