/** @file A follower that trusts one key, and a topic where anybody can write: nothing but the signed versions is ever taken. */

import { describe, expect, test } from 'vitest'
import type { UpdateChunk } from '../../src/publish/chunk.ts'
import type { Version } from '../../src/publish/publisher.ts'
import { signerFromPem, TrustedKeys, updateMessage } from '../../src/publish/signature.ts'
import { type Random, randomFrom } from '../../src/random.ts'
import { type Followed, Follower } from '../../src/serve/follower.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { keyPair } from '../publish/keys.ts'
import { chunksOf, probeRows, smallTrainer } from '../publish/small-trainer.ts'

const MUTATIONS = 10_000
const SEED = Number(process.env.FUZZ_SEED ?? 11)
const keys = keyPair()
const trusted = new TrustedKeys(keys.publicPem)
const signer = signerFromPem(keys.privatePem)
const rows = probeRows(1)

function signed(version: Version, epoch = 1, by = signer): UpdateChunk[] {
  const [first] = chunksOf(version, { trainer_epoch: epoch })
  if (first === undefined) throw new Error('an update has a chunk')
  return chunksOf(version, { trainer_epoch: epoch, signature: by.sign(updateMessage(first)) })
}

function take(follower: Follower, chunks: readonly UpdateChunk[]): Followed[] {
  return chunks.map((chunk) => follower.follow(chunk))
}

/** A follower at version 2 of 6, and what it scores there. */
function atVersion2() {
  const trainer = smallTrainer()
  const versions = Array.from({ length: 6 }, () => trainer.next())
  const follower = new Follower(plainEngine(), { modelId: 'small', trusted })
  for (const version of versions.slice(0, 2)) take(follower, signed(version))
  expect(follower.model?.header.sequence).toBe(2)
  return { follower, versions, good: follower.model?.score(rows) }
}

describe('is refused, counted and explained, and the last good version stays', () => {
  type Attack = (versions: readonly Version[]) => UpdateChunk[]
  const third = (versions: readonly Version[]): Version => versions[2]!
  const changed = (chunks: readonly UpdateChunk[], change: Partial<UpdateChunk>): UpdateChunk[] =>
    chunks.map((chunk) => ({ ...chunk, ...change }))
  const attacks: [string, string, RegExp, Attack][] = [
    ['no signature', 'unsigned', /version 3 has no signature/, (v) => chunksOf(third(v))],
    [
      'a wrong key',
      'signature',
      /not signed by a trusted key/,
      (v) => signed(third(v), 1, signerFromPem(keyPair().privatePem)),
    ],
    [
      'a higher epoch than was signed',
      'signature',
      /not signed/,
      (v) => changed(signed(third(v)), { trainer_epoch: 9 }),
    ],
    [
      'another number than was signed',
      'signature',
      /not signed/,
      (v) => changed(signed(third(v)), { sequence: 4 }),
    ],
    [
      'another hash than was signed',
      'signature',
      /not signed/,
      (v) => changed(signed(third(v)), { sha256: 'a'.repeat(64) }),
    ],
    [
      'a signature that is too short',
      'signature',
      /not signed/,
      (v) => signed(third(v)).map((c) => ({ ...c, signature: c.signature.slice(1) })),
    ],
    [
      'a foreign model id',
      'foreign',
      /model other, following small/,
      (v) => changed(signed(third(v)), { model_id: 'other' }),
    ],
    [
      'a flipped bit',
      'corrupt',
      /hashes to/,
      (v) =>
        signed(third(v)).map((c, i) =>
          i === 1 ? { ...c, body: c.body.map((b, k) => (k === 7 ? b ^ 4 : b)) } : c,
        ),
    ],
    [
      'a truncated chunk',
      'corrupt',
      /hashes to/,
      (v) => signed(third(v)).map((c, i) => (i === 0 ? { ...c, body: c.body.slice(0, -1) } : c)),
    ],
    [
      'a missing chunk',
      'incomplete',
      /expected chunk 1/,
      (v) => signed(third(v)).filter((_, i) => i !== 1),
    ],
    [
      'an older full version, signed then',
      'replayed',
      /full version 1 after version 2/,
      (v) => signed(v[0]!),
    ],
    ['a later delta', 'gap', /does not follow/, (v) => signed(v[3]!)],
  ]
  test.each(attacks)('%s', (_, reason, explained, attack) => {
    const { follower, versions, good } = atVersion2()
    const refused = take(follower, attack(versions)).filter(({ kind }) => kind === 'refused')
    expect(refused[0]).toMatchObject({ kind: 'refused', reason })
    expect(refused[0]).toHaveProperty('detail', expect.stringMatching(explained))
    expect(follower.refusals.get(reason as never)).toBeGreaterThan(0)
    expect(follower.model?.score(rows)).toEqual(good)
    expect(take(follower, signed(third(versions))).at(-1)).toEqual({ kind: 'applied', sequence: 3 })
  })

  test('a replayed old epoch', () => {
    const { follower, versions, good } = atVersion2()
    take(follower, signed(versions[1]!, 5)) // the trainer's fifth life says the same version again
    const replayed = take(follower, signed(versions[4]!, 1)).at(-1)
    expect(replayed).toMatchObject({ reason: 'zombie', detail: 'trainer epoch 1 after 5' })
    expect(follower.model?.score(rows)).toEqual(good)
  })

  test('what strangers write between the chunks of a version, which is taken all the same', () => {
    const { follower, versions } = atVersion2()
    const noise = changed(chunksOf(versions[5]!), { trainer_epoch: 2 ** 50 })
    const results = signed(versions[2]!).flatMap((chunk) => take(follower, [noise[0]!, chunk]))
    expect(results.at(-1)).toEqual({ kind: 'applied', sequence: 3 })
  })
})

/** One change somewhere in the record, the chunk's fields or the order; returns records. */
function mutate(records: readonly Uint8Array[], random: Random): Uint8Array[] {
  const out = records.map((record) => Uint8Array.from(record))
  const at = random.integer(out.length)
  const record = out[at]!
  const place = random.integer(record.length)
  switch (random.integer(5)) {
    case 0:
      record[place]! ^= 1 << random.integer(8)
      return out
    case 1:
      out[at] = record.subarray(0, place)
      return out
    case 2:
      record.set(
        Uint8Array.from({ length: Math.min(9, record.length - place) }, () => random.integer(256)),
        place,
      )
      return out
    case 3:
      out.splice(at, 1)
      return out
    default:
      out[at] = Buffer.concat([
        record.subarray(0, place),
        Uint8Array.of(random.integer(256)),
        record.subarray(place),
      ])
      return out
  }
}

test(`${MUTATIONS} mutations of signed records: none is taken for anything else, none crashes (seed ${SEED})`, () => {
  const codec = openChunkCodec()
  const random = randomFrom(SEED)
  const { versions, follower: first, good } = atVersion2()
  let follower = first
  const atTwo = (): Follower => {
    const fresh = new Follower(plainEngine(), { modelId: 'small', trusted })
    for (const version of versions.slice(0, 2)) take(fresh, signed(version))
    return fresh
  }
  const next = [versions[2]!, versions[4]!].map((version) =>
    signed(version).map((chunk) => codec.encode(chunk)),
  )
  const genuine = new Set(versions.map(({ sha256 }) => sha256))
  let refused = 0
  let harmless = 0
  for (let i = 0; i < MUTATIONS; i++) {
    const results = mutate(next[i % 2]!, random).map((record) => {
      const decoded = codec.decode(record)
      return decoded.kind === 'malformed' ? 'malformed' : follower.follow(decoded.chunk).kind
    })
    if (results.includes('malformed') || results.includes('refused')) refused += 1
    if (results.includes('applied')) {
      // What is not signed (offset, wall clock) was hit: the content is the genuine version, byte for byte.
      expect(genuine.has(follower.sha256), `mutation ${i}`).toBe(true)
      harmless += 1
      follower = atTwo()
    } else if (i % 500 === 0) expect(follower.model?.score(rows), `mutation ${i}`).toEqual(good)
  }
  expect(refused).toBeGreaterThan(MUTATIONS / 2)
  // The last chunk lost or cut off the topic says nothing yet; everything else was refused or harmless.
  expect(refused + harmless).toBeGreaterThan(0.8 * MUTATIONS)
  expect(follower.model?.score(rows)).toEqual(good)
  console.log(`${MUTATIONS} mutations: ${refused} refused, ${harmless} harmless`)
})
