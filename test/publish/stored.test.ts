/**
 * @file Updates as every format version had them, kept as bytes: this program must read them and score as their trainer did. A
 * new format adds a folder (`STORE=format-N npx vitest run test/publish/stored.test.ts` writes it); an old folder is never touched.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { UPDATE_FORMAT } from '../../src/publish/update.ts'
import { Follower } from '../../src/serve/follower.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { chunksOf, probeRows, smallTrainer } from './small-trainer.ts'

const FOLDER = 'test/publish/stored'
const codec = openChunkCodec()

interface StoredVersion {
  readonly sequence: number
  readonly kind: string
  readonly sha256: string
  /** Of `probeRows(4)`. */
  readonly scores: readonly number[]
}

function store(folder: string): void {
  mkdirSync(folder)
  const trainer = smallTrainer()
  const records: string[] = []
  const expected = Array.from({ length: 3 }, (): StoredVersion => {
    const version = trainer.next()
    for (const chunk of chunksOf(version)) {
      records.push(`${Buffer.from(codec.encode(chunk)).toString('base64')}\n`)
    }
    const { sequence, kind, sha256 } = version
    return { sequence, kind, sha256, scores: [...trainer.learner.score(probeRows(4))] }
  })
  writeFileSync(`${folder}/records.txt`, records.join(''))
  writeFileSync(`${folder}/expected.json`, `${JSON.stringify(expected, undefined, 1)}\n`)
}

const wanted = process.env.STORE
if (wanted !== undefined && !existsSync(`${FOLDER}/${wanted}`)) store(`${FOLDER}/${wanted}`)

const formats = Array.from({ length: UPDATE_FORMAT }, (_, i) => `format-${i + 1}`)

test('there is a folder for every format', () => {
  expect(readdirSync(FOLDER)).toEqual(expect.arrayContaining(formats))
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
