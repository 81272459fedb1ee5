/**
 * @file Forgets a user: the rows of the user's id, and of its pairs with one other feature, in the embedding table and in every
 * table of feature state. Keys are hashes, so a pair's row is found by trying every key that the embedding table has as its
 * other half: of each pair that was learned, both halves were too.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import type { EmbeddingTable } from '../embeddings/table.ts'
import { allRows } from '../embeddings/table-rows.ts'
import type { FeatureSpec } from '../features/feature-spec.ts'
import type { HashKey } from '../features/hash.ts'
import { ValueKeys } from '../features/value-key.ts'
import type { Stage } from '../stage.ts'
import type { FeatureState } from './feature-state.ts'

/** Name of the embedding table where rows are counted by table. */
export const EMBEDDINGS = 'embeddings'

/** Rows keyed by the user: alone, hashed once more, or as one half of a pair. */
interface Keyed {
  readonly name: string
  readonly table: EmbeddingTable
  /** Seeds of the slot of the user's id. */
  readonly userSeed: number
  /** `id`: the slot itself. `state`: a state feature of that slot. `pair`: with another feature, in this place. */
  readonly as: 'id' | 'state' | { readonly userAt: 0 | 1 }
  readonly seed: number
}

/** The snapshot is what was counted; the tables are saved by themselves. */
export class UserErasure implements Stage {
  readonly #embeddings: EmbeddingTable
  readonly #keyed: readonly Keyed[]
  readonly #keys = new ValueKeys()
  #users = 0
  readonly #rows = new Map<string, number>()

  /** `userField`: the field of impressions that holds the user. */
  constructor(
    spec: FeatureSpec,
    embeddings: EmbeddingTable,
    state: FeatureState,
    userField: string,
  ) {
    this.#embeddings = embeddings
    this.#keyed = keyedByUser(spec, embeddings, state, userField)
    for (const { name } of this.#keyed) this.#rows.set(name, 0)
  }

  /** Users erased so far. */
  get users(): number {
    return this.#users
  }

  /** Rows erased so far from the table of a state feature, or from `EMBEDDINGS`. */
  rowsOf(table: string): number {
    return this.#rows.get(table) ?? 0
  }

  /** Takes every row of the user away. O(rows of the embedding table) for each feature that pairs the user with another. */
  erase(user: string): void {
    this.#users += 1
    this.eraseAgain(user)
  }

  /** Of a user that is counted already, here or by another trainer: the rows that have come back. */
  eraseAgain(user: string): void {
    // All are found before any goes: the other half of a pair may be a row of the user itself.
    const found = this.#keyed.map((keyed) => ({ keyed, keys: this.#keysOf(keyed, user) }))
    for (const { keyed, keys } of found) {
      for (const { hi, lo } of keys) {
        if (!keyed.table.remove(hi, lo, 'erased')) continue
        this.#rows.set(keyed.name, this.rowsOf(keyed.name) + 1)
      }
    }
  }

  snapshot(): Uint8Array {
    return new ByteWriter()
      .f64(this.#users)
      .json([...this.#rows])
      .finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.#users = reader.f64()
    for (const [name, rows] of reader.json() as [string, number][]) this.#rows.set(name, rows)
    reader.end()
  }

  /** Keys that may have a row. */
  #keysOf({ table, userSeed, as, seed }: Keyed, user: string): HashKey[] {
    const own = { hi: 0, lo: 0 }
    this.#keys.write(user, userSeed, own)
    if (as === 'id') return [own]
    if (as === 'state') {
      this.#keys.writeCross(Uint32Array.of(own.hi, own.lo), seed, own)
      return [own]
    }
    const key = { hi: 0, lo: 0 }
    const halves = new Uint32Array(4)
    halves.set([own.hi, own.lo], 2 * as.userAt)
    const other = halves.subarray(2 - 2 * as.userAt, 4 - 2 * as.userAt)
    const keys: HashKey[] = []
    for (const row of allRows(this.#embeddings)) {
      this.#embeddings.readWords(row, 0, 2, other, 0)
      this.#keys.writeCross(halves, seed, key)
      if (table.findOne(key.hi, key.lo) >= 0) keys.push({ ...key })
    }
    return keys
  }
}

function keyedByUser(
  spec: FeatureSpec,
  embeddings: EmbeddingTable,
  state: FeatureState,
  userField: string,
): Keyed[] {
  const seeds = new Map(spec.slots.map(({ name, seed }) => [name, seed]))
  const users = spec.features.flatMap((feature) => {
    if (feature.kind !== 'id' || (feature.from ?? feature.name) !== userField) return []
    return [{ name: feature.name, seed: seeds.get(feature.name)! }]
  })
  /** The places in which a combination has the user. */
  const placesIn = (of: readonly string[]) =>
    users.flatMap(({ name, seed: userSeed }): Pick<Keyed, 'as' | 'userSeed'>[] => {
      if (of.length === 1) return of[0] === name ? [{ as: 'state', userSeed }] : []
      if (of.length > 2) return []
      return ([0, 1] as const).flatMap((userAt) =>
        of[userAt] === name ? [{ as: { userAt }, userSeed }] : [],
      )
    })
  const table = embeddings
  return [
    ...users.map(({ seed }) => {
      return { name: EMBEDDINGS, table, userSeed: seed, as: 'id' as const, seed }
    }),
    ...spec.features.flatMap((feature) => {
      if (feature.kind !== 'cross') return []
      const seed = seeds.get(feature.name)!
      return placesIn(feature.of).map((place) => ({ name: EMBEDDINGS, table, seed, ...place }))
    }),
    ...spec.state.flatMap(({ options, seed }) => {
      const own = state.tables.get(options.name)!
      return placesIn(options.of).map((place) => {
        return { name: options.name, table: own, seed, ...place }
      })
    }),
  ]
}
