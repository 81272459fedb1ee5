/** @file Checkpoints and crashes: whatever was on its way to disk, what loads is a checkpoint that was once whole. */

import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type CheckpointPart, CheckpointStore } from '../../src/train/checkpoint-store.ts'

const folders: string[] = []

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'checkpoints-'))
  folders.push(folder)
  return folder
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A part that is replaced and one that grows. */
function parts(small: string, more: string, append = true): CheckpointPart[] {
  return [
    { name: 'small', append: false, bytes: bytes(small) },
    { name: 'table', append, bytes: bytes(more) },
  ]
}

/** Parts as texts, the pieces of a growing one joined by a bar. */
function loaded(folder: string): { number: number; small: string; table: string } | undefined {
  const checkpoint = new CheckpointStore(folder).load()
  if (checkpoint === undefined) return undefined
  const text = (name: string): string =>
    (checkpoint.parts.get(name) ?? []).map((piece) => Buffer.from(piece).toString()).join('|')
  return { number: checkpoint.number, small: text('small'), table: text('table') }
}

/** A full checkpoint and two increments; returns what each loads as. */
function chainIn(folder: string) {
  const store = new CheckpointStore(folder)
  store.save(parts('s0', 't0', false), true)
  store.save(parts('s1', 't1'), false)
  store.save(parts('s2', 't2'), false)
  return [
    { number: 0, small: 's0', table: 't0' },
    { number: 1, small: 's1', table: 't0|t1' },
    { number: 2, small: 's2', table: 't0|t1|t2' },
  ] as const
}

const files = (folder: string): string[] => readdirSync(folder).sort()
const fileOf = (folder: string, number: number): string =>
  join(folder, `${String(number).padStart(10, '0')}.checkpoint`)

test('an empty folder has no checkpoint', () => {
  expect(loaded(temporaryFolder())).toBeUndefined()
})

test('small parts are replaced, growing parts are pieces in order', () => {
  const folder = temporaryFolder()
  const states = chainIn(folder)
  expect(loaded(folder)).toEqual(states[2])
})

test('a full checkpoint starts a new chain and removes the old one', () => {
  const folder = temporaryFolder()
  chainIn(folder)
  const store = new CheckpointStore(folder)
  store.load()
  expect(store.chainLength).toBe(3)
  store.save(parts('s3', 't3', false), true)
  expect(store.chainLength).toBe(1)
  expect(files(folder)).toEqual(['0000000003.checkpoint'])
  expect(loaded(folder)).toEqual({ number: 3, small: 's3', table: 't3' })
})

test('an increment needs something to build on', () => {
  expect(() => new CheckpointStore(temporaryFolder()).save(parts('a', 'b'), false)).toThrow(
    expect.objectContaining({ code: 'BAD_STATE' }),
  )
})

describe('a crash', () => {
  test('before the rename, after any byte, leaves the checkpoint before it and no litter', () => {
    const folder = temporaryFolder()
    const states = chainIn(folder)
    const whole = readFileSync(fileOf(folder, 2))
    rmSync(fileOf(folder, 2))
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(`${fileOf(folder, 2)}.tmp`, whole.subarray(0, length))
      expect(loaded(folder), `${length} bytes`).toEqual(states[1])
      expect(files(folder), `${length} bytes`).toEqual([
        '0000000000.checkpoint',
        '0000000001.checkpoint',
      ])
    }
  })

  test('that left a truncated newest file falls back to the one before, and goes on from there', () => {
    const source = temporaryFolder()
    const states = chainIn(source)
    const whole = readFileSync(fileOf(source, 2))
    for (let length = 0; length < whole.length; length += 7) {
      const folder = temporaryFolder()
      cpSync(source, folder, { recursive: true })
      writeFileSync(fileOf(folder, 2), whole.subarray(0, length))
      const store = new CheckpointStore(folder)
      expect(store.load()?.number, `${length} bytes`).toBe(1)
      store.save(parts('again', 't2b'), false)
      expect(loaded(folder)).toEqual({ number: 2, small: 'again', table: `${states[1].table}|t2b` })
    }
  })

  test('between a new full file and the removal of the old chain loads the new one and removes the rest', () => {
    const folder = temporaryFolder()
    const old = temporaryFolder()
    chainIn(folder)
    cpSync(folder, old, { recursive: true })
    const store = new CheckpointStore(folder)
    store.load()
    store.save(parts('s3', 't3', false), true)
    for (const name of files(old)) copyFileSync(join(old, name), join(folder, name))
    expect(loaded(folder)).toEqual({ number: 3, small: 's3', table: 't3' })
    expect(files(folder)).toEqual(['0000000003.checkpoint'])
  })
})

describe('damage', () => {
  test('of any single bit in the newest file is noticed', () => {
    const source = temporaryFolder()
    const states = chainIn(source)
    const whole = readFileSync(fileOf(source, 2))
    for (let bit = 0; bit < whole.length * 8; bit += 5) {
      const folder = temporaryFolder()
      cpSync(source, folder, { recursive: true })
      const flipped = Buffer.from(whole)
      flipped[bit >>> 3]! ^= 1 << (bit & 7)
      writeFileSync(fileOf(folder, 2), flipped)
      expect(loaded(folder), `bit ${bit}`).toEqual(states[1])
    }
  })

  test('of the first file breaks the whole chain: CORRUPT, not a fresh start, and nothing is removed', () => {
    const folder = temporaryFolder()
    chainIn(folder)
    const first = readFileSync(fileOf(folder, 0))
    first[20]! ^= 4
    writeFileSync(fileOf(folder, 0), first)
    expect(() => loaded(folder)).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
    expect(files(folder)).toHaveLength(3)
  })

  test('a missing link is CORRUPT as well when nothing before it is whole', () => {
    const folder = temporaryFolder()
    chainIn(folder)
    rmSync(fileOf(folder, 0))
    expect(() => loaded(folder)).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
    expect(existsSync(fileOf(folder, 2))).toBe(true)
  })

  test('a file under another’s name is not taken for it', () => {
    const folder = temporaryFolder()
    const states = chainIn(folder)
    copyFileSync(fileOf(folder, 1), fileOf(folder, 2))
    expect(loaded(folder)).toEqual(states[1])
  })
})
