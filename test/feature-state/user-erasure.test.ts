import { describe, expect, it } from 'vitest'
import { layOutColumns } from '../../src/embeddings/columns.ts'
import { PooledLookup } from '../../src/embeddings/pooled-lookup.ts'
import { EmbeddingTable } from '../../src/embeddings/table.ts'
import { FeatureState } from '../../src/feature-state/feature-state.ts'
import { EMBEDDINGS, UserErasure } from '../../src/feature-state/user-erasure.ts'
import { FeatureEncoder } from '../../src/features/encode.ts'
import type { SlotKeys } from '../../src/features/encoded-batch.ts'
import { featureListOptions } from '../../src/features/feature-options.ts'
import { compileFeatures } from '../../src/features/feature-spec.ts'
import { plainSample } from '../samples/plain-sample.ts'

const FEATURES = [
  { name: 'user', kind: 'id', from: 'user_id' },
  { name: 'tab', kind: 'id' },
  { name: 'tags', kind: 'ids' },
  { name: 'user_tab', kind: 'cross', of: ['user', 'tab'] },
  { name: 'tags_user', kind: 'cross', of: ['tags', 'user'] },
  { name: 'three', kind: 'cross', of: ['user', 'tab', 'tags'] },
  { name: 'user_rate', kind: 'rate', of: ['user'], tasks: ['click'] },
  { name: 'tab_user_rate', kind: 'rate', of: ['tab', 'user'], tasks: ['click'] },
  { name: 'tab_seen', kind: 'last_seen', of: ['tab'] },
]

function learned() {
  const spec = compileFeatures(featureListOptions.parse(FEATURES))
  const state = new FeatureState(spec, ['click', 'like'])
  const encoder = new FeatureEncoder(spec, state)
  const table = new EmbeddingTable(
    layOutColumns([{ name: 'embedding', width: 2, deviation: 1 }], 1),
  )
  const rowsOf = (user: unknown) =>
    ['home', 'search'].map((tab) =>
      plainSample({
        id: `${user}${tab}`,
        fields: { user_id: user, tab, tags: ['x', 'y'] },
        time: 5,
      }),
    )
  const samples = ['ann', 7].flatMap(rowsOf)
  const lookup = new PooledLookup(table)
  lookup.bind(encoder.encodeSamples(samples))
  lookup.insert()
  encoder.settle(samples)
  /** How many of the keys of each slot have a row. */
  const found = (user: unknown): Record<string, number> => {
    const { slots } = encoder.encode(rowsOf(user))
    const count = ({ hi, lo }: SlotKeys): number =>
      Array.from(hi, (_, k) => table.findOne(hi[k]!, lo[k]!)).filter((row) => row >= 0).length
    return Object.fromEntries(spec.slots.map(({ name }, s) => [name, count(slots[s]!)]))
  }
  return { table, state, found, erasure: new UserErasure(spec, table, state, 'user_id') }
}

describe('the erasure of a user', () => {
  it("takes the rows of the user's id and of its pairs away, and nobody else's", () => {
    const { table, state, found, erasure } = learned()
    const all = { user: 2, tab: 2, tags: 4, user_tab: 2, tags_user: 4, three: 4 }
    expect(found('ann')).toEqual(all)
    const before = table.used
    erasure.erase('ann')
    // Crosses of three are not reached: docs/how-to/erase-a-user.md.
    expect(found('ann')).toEqual({ ...all, user: 0, user_tab: 0, tags_user: 0 })
    expect(found(7)).toEqual(all)
    expect(before - table.used).toBe(1 + 2 + 2)
    // One user and the stream itself stay.
    expect(state.tables.get('user_rate')?.used).toBe(2)
    expect(state.tables.get('tab_user_rate')?.used).toBe(3)
    expect(state.tables.get('tab_seen')?.used).toBe(2)
  })

  it('knows a user by its text, whether that was a number or not, and counts what it took', () => {
    const { found, erasure } = learned()
    erasure.erase('7')
    erasure.erase('nobody')
    expect(found(7).user).toBe(0)
    expect(erasure.users).toBe(2)
    expect(erasure.rowsOf(EMBEDDINGS)).toBe(5)
    expect(erasure.rowsOf('tab_user_rate')).toBe(2)
    const { erasure: other } = learned()
    other.restore(erasure.snapshot())
    expect(other.snapshot()).toEqual(erasure.snapshot())
    expect(other.rowsOf('user_rate')).toBe(1)
  })
})
