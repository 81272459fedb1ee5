/** @file Records of the model topic: compressed ones hold the same chunk, and none makes more of its bytes than it may. */

import { deflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { ChunkAssembly } from '../../src/publish/chunk.ts'
import { ChunkCodec } from '../../src/publish/chunk-codec.ts'
import { Follower } from '../../src/serve/follower.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { AvroCodec } from '../../src/wire/avro-codec.ts'
import { loadSchema } from '../../src/wire/avro-schema.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { chunksOf, smallTrainer } from './small-trainer.ts'

const codec = openChunkCodec()
const deflated = new AvroCodec({ schema: loadSchema('schemas/model-update-deflated.avsc') })
const version = smallTrainer().next()
const [first] = chunksOf(version, {}, 100_000)

/** A record that says of its body what it likes. */
function forged(size: number, bytes: Uint8Array): Uint8Array {
  const { body: _, ...envelope } = first!
  return deflated.encode({ ...envelope, body_bytes: size, deflated: bytes })
}

test('a compressed chunk is smaller and comes back whole; its version has the same hash', () => {
  const plain = codec.encode(first!)
  const small = codec.encode(first!, 'deflate')
  expect(small.length).toBeLessThan(0.8 * plain.length)
  for (const record of [plain, small]) {
    const decoded = codec.decode(record)
    expect(decoded).toMatchObject({ kind: 'chunk', chunk: { sha256: version.sha256 } })
    expect(decoded.kind === 'chunk' && Buffer.from(decoded.chunk.body)).toEqual(
      Buffer.from(version.content),
    )
    const follower = new Follower(plainEngine())
    expect(decoded.kind === 'chunk' && follower.follow(decoded.chunk)).toEqual({
      kind: 'applied',
      sequence: 1,
    })
  }
})

test('what does not get smaller travels plain', () => {
  const noise = { ...first!, body: deflateSync(version.content) }
  expect(codec.encode(noise, 'deflate')).toEqual(codec.encode(noise))
})

test('a reader that knows plain chunks only refuses compressed ones and reads on', () => {
  const older = new ChunkCodec(loadSchema('schemas/model-update.avsc'))
  expect(older.decode(codec.encode(first!))).toMatchObject({ kind: 'chunk' })
  expect(older.decode(codec.encode(first!, 'deflate'))).toMatchObject({
    kind: 'malformed',
    reason: expect.stringContaining('unknown schema'),
  })
})

test('a record that would unpack to more than it says, or says more than it may, is malformed', () => {
  const bomb = deflateSync(new Uint8Array(64 * 2 ** 20))
  for (const [size, bytes] of [
    [1000, bomb],
    [2 ** 20, bomb],
    [64 * 2 ** 20, bomb],
    [-1, bomb],
    [0, deflateSync(new Uint8Array(0))],
    [1000, deflateSync(new Uint8Array(999))],
    [10, Uint8Array.of(1, 2, 3)],
    [10, new Uint8Array(0)],
    [999, deflateSync(new Uint8Array(999)).subarray(0, 8)],
  ] as const) {
    const before = process.memoryUsage().arrayBuffers
    expect(codec.decode(forged(size, bytes)), `${size}`).toMatchObject({ kind: 'malformed' })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 2 ** 20)
  }
})

test('an update that grows beyond the limit is given up before its end', () => {
  const assembly = new ChunkAssembly(2500)
  const chunk = (at: number) => ({
    ...first!,
    chunk: at,
    chunks: 1_000_000,
    body: new Uint8Array(1000),
  })
  const kinds = [0, 1, 2, 3].map((at) => assembly.add(chunk(at)))
  expect(kinds.map(({ kind }) => kind)).toEqual(['incomplete', 'incomplete', 'broken', 'broken'])
  expect(kinds[2]).toMatchObject({ reason: 'sequence 1 has more than 2500 bytes' })
})
