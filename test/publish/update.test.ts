/** @file The content of an update: written and read back the same, and cut at any byte or flipped at any bit never taken for another. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { ChunkAssembly, cutIntoChunks } from '../../src/publish/chunk.ts'
import { contentHash, decodeUpdate, encodeUpdate, UPDATE_FORMAT } from '../../src/publish/update.ts'
import { chunksOf, probeRows, smallTrainer } from './small-trainer.ts'

test('content is read back as it was written, and written again to the same bytes', () => {
  const trainer = smallTrainer()
  for (const kind of ['full', 'delta', 'delta']) {
    const version = trainer.next()
    const update = decodeUpdate(version.content)
    expect(update.header).toMatchObject({
      kind,
      sequence: version.sequence,
      parent_sha256: version.parentSha256,
      samples: trainer.learner.samples,
      steps: trainer.learner.steps,
    })
    const { parameters } = trainer.learner.parts
    for (const { name, values } of update.dense) expect(values).toEqual(parameters.view(name))
    expect(update.dense.map(({ name }) => name)).toEqual(parameters.specs.map(({ name }) => name))
    expect(encodeUpdate(update)).toEqual(version.content)
    expect(contentHash(encodeUpdate(update))).toBe(version.sha256)
  }
})

test('content that ends early is CORRUPT at every byte', () => {
  const { content } = smallTrainer().next()
  for (let length = 0; length < content.length; length++) {
    let code: string | undefined
    try {
      decodeUpdate(content.subarray(0, length))
    } catch (thrown) {
      code = thrown instanceof MillraceError ? thrown.code : String(thrown)
    }
    expect(code, `${length} of ${content.length} bytes`).toBe('CORRUPT')
  }
})

test('a newer format is FOREIGN, with the remedy', () => {
  const update = decodeUpdate(smallTrainer().next().content)
  const newer = encodeUpdate({ ...update, header: { ...update.header, format: UPDATE_FORMAT + 1 } })
  expect(() => decodeUpdate(newer)).toThrow(
    expect.objectContaining({ code: 'FOREIGN', remedy: 'upgrade the consumer' }),
  )
})

describe('chunks', () => {
  const version = smallTrainer().next()

  test('of any size come together to the content (seed 9)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: version.content.length + 10 }), (size) => {
        const chunks = chunksOf(version, {}, size)
        expect(chunks).toHaveLength(Math.ceil(version.content.length / size))
        expect(chunks.every(({ body }) => body.length <= size)).toBe(true)
        const assembly = new ChunkAssembly()
        const results = chunks.map((chunk) => assembly.add(chunk))
        expect(results.slice(0, -1).every(({ kind }) => kind === 'incomplete')).toBe(true)
        const last = results.at(-1)
        expect(last?.kind === 'complete' && Buffer.concat(last.bodies)).toEqual(
          Buffer.from(version.content),
        )
      }),
      { seed: 9, numRuns: 60 },
    )
  })

  test('an empty content is one chunk', () => {
    const [first] = chunksOf(version)
    const { body: _, chunk: __, chunks: ___, ...envelope } = first!
    expect(cutIntoChunks(envelope, new Uint8Array(0), 100)).toHaveLength(1)
  })

  test('a missing, repeated or foreign chunk breaks the update; the next chunk 0 starts anew', () => {
    const chunks = chunksOf(version)
    const [first, second, third] = chunks
    const other = chunksOf({ ...version, sha256: 'b'.repeat(64) })[1]!
    for (const wrong of [
      [second!],
      [first!, third!],
      [first!, second!, second!],
      [first!, other],
    ]) {
      const assembly = new ChunkAssembly()
      const results = wrong.map((chunk) => assembly.add(chunk).kind)
      expect(results.at(-1)).toBe('broken')
      const again = chunks.map((chunk) => assembly.add(chunk).kind)
      expect(again.at(-1)).toBe('complete')
    }
  })

  test('a trainer that died half way and starts again is no break', () => {
    const chunks = chunksOf(version)
    const assembly = new ChunkAssembly()
    const kinds = [...chunks.slice(0, 2), ...chunks].map((chunk) => assembly.add(chunk).kind)
    expect(kinds.filter((kind) => kind === 'broken')).toEqual([])
    expect(kinds.at(-1)).toBe('complete')
  })
})

test('the probe of a version is what the trainer scores for it', () => {
  const trainer = smallTrainer()
  const { probe } = decodeUpdate(trainer.next().content)
  expect(probe.features.rows).toBe(3)
  expect(probe.scores).toEqual(trainer.learner.score(probe.features))
  expect(probe.scores).not.toEqual(trainer.learner.score(probeRows(4)).slice(0, 9))
})
