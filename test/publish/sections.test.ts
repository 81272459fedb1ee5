/** @file The way in which the format grows: unknown sections are skipped when optional and refuse the update when required. */

import { expect, test } from 'vitest'
import type { UpdateSection } from '../../src/publish/sections.ts'
import { contentHash, decodeUpdate, encodeUpdate } from '../../src/publish/update.ts'
import { Follower } from '../../src/serve/follower.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { chunksOf, probeRows, smallTrainer } from './small-trainer.ts'

const section = (over: Partial<UpdateSection>): UpdateSection => ({
  name: 'from-the-future',
  version: 1,
  required: false,
  content: Uint8Array.of(1, 2, 3),
  ...over,
})

function withSections(...sections: UpdateSection[]): Uint8Array {
  return encodeUpdate({ ...decodeUpdate(smallTrainer().next().content), sections })
}

test('an optional section that nobody knows is skipped: the version scores as without it', () => {
  const trainer = smallTrainer()
  const made = trainer.next()
  const content = encodeUpdate({ ...decodeUpdate(made.content), sections: [section({})] })
  const follower = new Follower(plainEngine())
  const results = chunksOf({ ...made, content, sha256: contentHash(content) }).map((chunk) =>
    follower.follow(chunk),
  )
  expect(results.at(-1)).toEqual({ kind: 'applied', sequence: 1 })
  expect(follower.model?.score(probeRows(1))).toEqual(trainer.learner.score(probeRows(1)))
  expect(decodeUpdate(content).sections).toEqual([section({})])
})

test('a required section that nobody knows refuses the update by name, and so does a known one in a newer layout', () => {
  const refused = (bytes: Uint8Array): unknown => {
    try {
      return decodeUpdate(bytes)
    } catch (thrown) {
      return thrown
    }
  }
  expect(refused(withSections(section({ required: true })))).toMatchObject({
    code: 'FOREIGN',
    message: 'the update needs section from-the-future version 1',
  })
  const renamed = Buffer.from(withSections(section({ name: 'abcde', required: true })))
  renamed.write('dense', renamed.indexOf('abcde')) // now twice, the second time with the same version
  expect(refused(renamed)).toMatchObject({ code: 'CORRUPT' })
  const { content } = smallTrainer().next()
  const newer = Buffer.from(content)
  newer.writeUInt32LE(2, newer.indexOf('statistics') + 'statistics'.length)
  expect(refused(newer)).toMatchObject({
    code: 'FOREIGN',
    message: 'the update needs section statistics version 2',
  })
})

test.each(['dense', 'statistics', 'rows', 'probe'])('an update without %s is no update', (name) => {
  const { content } = smallTrainer().next()
  const without = Buffer.from(content)
  const at = without.indexOf(`\0\0\0${name}`) + 3
  without.write('x', at)
  without.writeUInt8(0, at + name.length + 4) // no longer required, so that only its absence counts
  expect(() => decodeUpdate(without)).toThrow(`no section ${name}`)
})

test('bytes behind the last section are not ignored', () => {
  const { content } = smallTrainer().next()
  expect(() => decodeUpdate(Buffer.concat([content, Uint8Array.of(0)]))).toThrow('too many')
})

test('what the moment of publication brings is in the version', async () => {
  const trainer = smallTrainer()
  trainer.next()
  const extra = section({ name: 'note', content: Uint8Array.of(7) })
  const draft = trainer.publisher.draft({
    metrics: {},
    standardisation: Float64Array.of(3, 0.5, 1.5),
    corrections: { negative_rate: 0.25 },
    sections: [extra],
  })
  const { content } = trainer.publisher.commit(draft)
  const { header, sections } = decodeUpdate(content)
  expect(header.corrections).toEqual({ negative_rate: 0.25 })
  expect(sections).toEqual([extra])
})
