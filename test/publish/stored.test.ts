/**
 * @file Updates as every format version had them, kept as bytes: this program must read them and score as their trainer did. A
 * new format, or a new layout of a section, adds a folder and a line in `STORED` (`STORE=NAME npx vitest run
 * test/publish/stored.test.ts` writes it); an old folder is never touched.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { ChunkCompression } from '../../src/publish/chunk.ts'
import { type RowTypeOptions, RowTypes } from '../../src/publish/row-types.ts'
import { SECTIONS } from '../../src/publish/sections.ts'
import { UPDATE_FORMAT } from '../../src/publish/update.ts'
import { Follower } from '../../src/serve/follower.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { chunksOf, probeRows, smallTrainer } from './small-trainer.ts'

const FOLDER = 'test/publish/stored'
const codec = openChunkCodec()

/** What a trainer of each folder published with, and how its chunks travel. */
const STORED: Readonly<Record<string, readonly [RowTypeOptions | undefined, ChunkCompression]>> = {
  'format-1': [undefined, 'none'],
  'format-2': [undefined, 'none'],
  /** Section rows 2, and compressed chunks. */
  'format-2-rows-2': [{ byDefault: 'float32', bySlot: ['int8', 'float16'] }, 'deflate'],
}

interface StoredVersion {
  readonly sequence: number
  readonly kind: string
  readonly sha256: string
  /** Of `probeRows(4)`. */
  readonly scores: readonly number[]
}

function store(folder: string): void {
  mkdirSync(`${FOLDER}/${folder}`)
  const [values = { byDefault: 'float32' }, compression] = STORED[folder] ?? [undefined, 'none']
  const trainer = smallTrainer({ values, slot: values.bySlot !== undefined })
  const { learner } = trainer
  const types = new RowTypes(learner.parts.table, values)
  const records: string[] = []
  const expected = Array.from({ length: 3 }, (): StoredVersion => {
    const version = trainer.next()
    for (const chunk of chunksOf(version)) {
      records.push(`${Buffer.from(codec.encode(chunk, compression)).toString('base64')}\n`)
    }
    const { sequence, kind, sha256 } = version
    const scores = learner.score(probeRows(4), (...read) => types.round(...read))
    return { sequence, kind, sha256, scores: [...scores] }
  })
  writeFileSync(`${FOLDER}/${folder}/records.txt`, records.join(''))
  writeFileSync(`${FOLDER}/${folder}/expected.json`, `${JSON.stringify(expected, undefined, 1)}\n`)
}

const wanted = process.env.STORE
if (wanted !== undefined && !existsSync(`${FOLDER}/${wanted}`)) store(wanted)

const formats = Array.from({ length: UPDATE_FORMAT }, (_, i) => `format-${i + 1}`)

test('there is a folder for every format, and for every layout of the rows', () => {
  expect(readdirSync(FOLDER)).toEqual(Object.keys(STORED))
  expect(Object.keys(STORED)).toEqual(expect.arrayContaining(formats))
  expect(
    SECTIONS.rows
      ?.map((layout) => (layout === 1 ? 'format-2' : `format-2-rows-${layout}`))
      .every((name) => name in STORED),
  ).toBe(true)
})

test.each(readdirSync(FOLDER))('%s is read, and scores as its trainer did', (folder) => {
  const read = (name: string): string => readFileSync(`${FOLDER}/${folder}/${name}`, 'utf8')
  const expected = JSON.parse(read('expected.json')) as StoredVersion[]
  const follower = new Follower(plainEngine())
  const applied: StoredVersion[] = []
  for (const record of read('records.txt').trimEnd().split('\n')) {
    const decoded = codec.decode(Buffer.from(record, 'base64'))
    if (decoded.kind !== 'chunk') throw new Error(decoded.reason)
    const followed = follower.follow(decoded.chunk)
    if (followed.kind === 'waiting') continue
    expect(followed).toMatchObject({ kind: 'applied' })
    const { sequence, kind } = decoded.chunk
    const scores = [...(follower.model?.score(probeRows(4)) ?? [])]
    applied.push({ sequence, kind, sha256: follower.sha256, scores })
  }
  expect(applied).toEqual(expected)
})
