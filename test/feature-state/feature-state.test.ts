/** @file Feature state as a stage: saved whole or row by row it has the same future, and a follower encodes as the trainer. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allRows, exportRows, importRows } from '../../src/embeddings/table-rows.ts'
import { restoreTable, snapshotTable, TablePieces } from '../../src/embeddings/table-snapshot.ts'
import { FeatureState } from '../../src/feature-state/feature-state.ts'
import { FeatureEncoder } from '../../src/features/encode.ts'
import { featureListOptions } from '../../src/features/feature-options.ts'
import { compileFeatures } from '../../src/features/feature-spec.ts'
import type { Sample } from '../../src/samples/sample.ts'
import { drawnSample, encoderWith, sampleOf, TASKS } from './labelled-samples.ts'

const FEATURES = [
  {
    name: 'user_rate',
    kind: 'rate',
    of: ['user'],
    tasks: ['click', 'like'],
    half_life_hours: [1, 48],
  },
  {
    name: 'pair_rate',
    kind: 'rate',
    of: ['user', 'tags'],
    tasks: ['like'],
    cap: { by: 'user', most: 3 },
  },
  { name: 'tag_seen', kind: 'last_seen', of: ['tags'] },
  { name: 'past', kind: 'history', of: ['tags'], items: 'user', tasks: ['click'], last: 2 },
]

/** Impressions with several rows each: ids repeat. */
const histories = fc
  .array(fc.tuple(drawnSample, fc.nat(12)), { minLength: 1, maxLength: 40 })
  .map((drawn) => drawn.map(([one, id]) => sampleOf(one, `${id}`)))

type Trained = ReturnType<typeof encoderWith>

function teach({ encoder }: Trained, samples: readonly Sample[]): number[] {
  return samples.flatMap((sample) => {
    const batch = [sample]
    const { dense } = encoder.encodeSamples(batch)
    encoder.settle(batch)
    return [...dense]
  })
}

function tablesOf({ state }: Trained): Uint8Array[] {
  return Array.from(state.tables.values(), (table) => snapshotTable(table).slice())
}

test('restored from a whole snapshot and a piece it has the same columns and the same bytes ever after', () => {
  fc.assert(
    fc.property(histories, fc.nat(), fc.nat(), (samples, one, two) => {
      const [from, to] = [one % (samples.length + 1), two % (samples.length + 1)].sort(
        (a, b) => a - b,
      )
      const whole = encoderWith(...FEATURES)
      teach(whole, samples.slice(0, from))
      for (const table of whole.state.tables.values()) table.takeDirty('checkpoint')
      const fulls = tablesOf(whole)
      teach(whole, samples.slice(from, to))
      const pieces = Array.from(whole.state.tables.values(), (table) =>
        new TablePieces(table).take({ number: 5, of: 20 }).slice(),
      )

      const restored = encoderWith(...FEATURES)
      restored.encoder.restore(whole.encoder.snapshot())
      restored.state.restore(whole.state.snapshot())
      for (const [i, table] of [...restored.state.tables.values()].entries()) {
        restoreTable(table, fulls[i]!, pieces[i]!)
      }
      expect(tablesOf(restored)).toEqual(tablesOf(whole))
      const rest = samples.slice(to)
      expect(teach(restored, rest)).toEqual(teach(whole, rest))
      expect(tablesOf(restored)).toEqual(tablesOf(whole))
      expect(restored.encoder.snapshot()).toEqual(whole.encoder.snapshot())
      expect(restored.state.snapshot()).toEqual(whole.state.snapshot())
    }),
    { seed: 20260303, numRuns: 100 },
  )
})

test('a copy that gets the published rows, full and delta, encodes bit for bit as the trainer does', () => {
  fc.assert(
    fc.property(histories, fc.nat(), (samples, cut) => {
      const trainer = encoderWith(...FEATURES)
      const follower = encoderWith(...FEATURES)
      const at = cut % (samples.length + 1)
      teach(trainer, samples.slice(0, at))
      for (const [name, table] of trainer.state.tables) {
        table.takeDirty('publication')
        importRows(follower.state.tables.get(name)!, exportRows(table, allRows(table)))
      }
      teach(trainer, samples.slice(at))
      for (const [name, table] of trainer.state.tables) {
        const rows = exportRows(table, table.takeDirty('publication'))
        importRows(follower.state.tables.get(name)!, rows)
      }
      const asked = samples.map(({ fields, time }) => ({ fields, time: time + 12_345 }))
      expect(follower.encoder.encode(asked)).toEqual(trainer.encoder.encode(asked))
    }),
    { seed: 20260304, numRuns: 100 },
  )
})

test('an encoder without the state that its spec needs, and a rate of an unknown task, are refused', () => {
  const spec = compileFeatures(
    featureListOptions.parse([{ name: 'user', kind: 'id' }, FEATURES[0]]),
  )
  expect(() => new FeatureEncoder(spec)).toThrow(/has rates, the encoder got no state/)
  expect(() => new FeatureState(spec, ['click'])).toThrow(/"user_rate" names like/)
  expect(new FeatureState(spec, TASKS).tables.size).toBe(1)
})
