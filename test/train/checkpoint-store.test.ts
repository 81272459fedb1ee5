/** @file Checkpoints and crashes: whatever was on its way to disk, what loads is a checkpoint that was once whole. */

import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
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

/** A part that is replaced and one that is in pieces. */
function parts(small: string, piece: string): CheckpointPart[] {
  return [
    { name: 'small', pieces: false, bytes: bytes(small) },
    { name: 'table', pieces: true, bytes: bytes(piece) },
  ]
}

/** Parts as texts, the pieces joined by a bar. */
function loaded(folder: string): { number: number; small: string; table: string } | undefined {
  const checkpoint = new CheckpointStore(folder).load()
  if (checkpoint === undefined) return undefined
  const text = (name: string): string =>
    (checkpoint.parts.get(name) ?? []).map((piece) => Buffer.from(piece).toString()).join('|')
  return { number: checkpoint.number, small: text('small'), table: text('table') }
}

/** Saves checkpoints from..to (exclusive). */
async function save(store: CheckpointStore, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) await store.save(parts(`s${n}`, `t${n}`))
}

/** Three checkpoints; returns what each loads as. */
async function threeIn(folder: string) {
  await save(new CheckpointStore(folder), 0, 3)
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

test('small parts are replaced, large ones are pieces in order', async () => {
  const folder = temporaryFolder()
  const states = await threeIn(folder)
  expect(loaded(folder)).toEqual(states[2])
})

test('a checkpoint is as many files as there are turns; one more is kept, older ones go', async () => {
  const folder = temporaryFolder()
  const store = new CheckpointStore(folder)
  const { of } = store.turn
  await save(store, 0, of + 5)
  expect(store.turn).toEqual({ number: of + 5, of })
  const pieces = Array.from({ length: of }, (_, i) => `t${5 + i}`)
  expect(loaded(folder)).toEqual({
    number: of + 4,
    small: `s${of + 4}`,
    table: pieces.join('|'),
  })
  expect(files(folder)).toHaveLength(of + 1)
  rmSync(fileOf(folder, of + 4))
  expect(loaded(folder)).toMatchObject({ number: of + 3, small: `s${of + 3}` })
})

test('a file that a crash left behind before the one that is kept goes with the next load', async () => {
  const folder = temporaryFolder()
  const store = new CheckpointStore(folder)
  const { of } = store.turn
  await save(store, 0, of + 5)
  const kept = files(folder)
  copyFileSync(fileOf(folder, 4), fileOf(folder, 3))
  expect(loaded(folder)).toMatchObject({ number: of + 4 })
  expect(files(folder)).toEqual(kept)
})

test('parts of every size come back: those that are written together, and those that are cut', async () => {
  const folder = temporaryFolder()
  const sizes = [0, 1, 400_000, 400_000, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3_000_000, 5, 0]
  const parts = sizes.map((size, part): CheckpointPart => {
    const content = Uint8Array.from({ length: size }, (_, i) => (i * 7 + part) >>> 3)
    return { name: `part ${part}`, pieces: part % 2 === 0, bytes: content }
  })
  await new CheckpointStore(folder).save(parts)
  const checkpoint = new CheckpointStore(folder).load()
  expect(checkpoint?.parts.size).toBe(sizes.length)
  for (const { name, bytes: given } of parts) {
    const [found, ...others] = checkpoint?.parts.get(name) ?? []
    expect(others).toEqual([])
    expect(Buffer.compare(found ?? bytes('none'), given), name).toBe(0)
  }
})

test('a folder that cannot be written to is an error of the save, and the next one takes its number', async () => {
  const folder = temporaryFolder()
  const store = new CheckpointStore(folder)
  await save(store, 0, 1)
  mkdirSync(`${fileOf(folder, 1)}.tmp`)
  await expect(store.save(parts('s1', 't1'))).rejects.toThrow(/EISDIR/)
  rmdirSync(`${fileOf(folder, 1)}.tmp`)
  await save(store, 1, 2)
  expect(loaded(folder)).toEqual({ number: 1, small: 's1', table: 't0|t1' })
})

describe('a crash', () => {
  test('before the rename, after any byte, leaves the checkpoint before it and no litter', async () => {
    const folder = temporaryFolder()
    const states = await threeIn(folder)
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

  test('that left a truncated newest file falls back to the one before, and goes on from there', async () => {
    const source = temporaryFolder()
    const states = await threeIn(source)
    const whole = readFileSync(fileOf(source, 2))
    for (let length = 0; length < whole.length; length += 7) {
      const folder = temporaryFolder()
      cpSync(source, folder, { recursive: true })
      writeFileSync(fileOf(folder, 2), whole.subarray(0, length))
      const store = new CheckpointStore(folder)
      expect(store.load()?.number, `${length} bytes`).toBe(1)
      await store.save(parts('again', 't2b'))
      expect(loaded(folder)).toEqual({ number: 2, small: 'again', table: `${states[1].table}|t2b` })
    }
  })
})

describe('damage', () => {
  test('of any single bit in the newest file is noticed', async () => {
    const source = temporaryFolder()
    const states = await threeIn(source)
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

  test('of the first file is damage of all that need it: CORRUPT, not a fresh start, and nothing is removed', async () => {
    const folder = temporaryFolder()
    await threeIn(folder)
    const first = readFileSync(fileOf(folder, 0))
    first[20]! ^= 4
    writeFileSync(fileOf(folder, 0), first)
    expect(() => loaded(folder)).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
    expect(files(folder)).toHaveLength(3)
  })

  test('a missing file is CORRUPT as well when nothing before it is whole', async () => {
    const folder = temporaryFolder()
    await threeIn(folder)
    rmSync(fileOf(folder, 0))
    expect(() => loaded(folder)).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
    expect(existsSync(fileOf(folder, 2))).toBe(true)
  })

  test('a file under another’s name is not taken for it', async () => {
    const folder = temporaryFolder()
    const states = await threeIn(folder)
    copyFileSync(fileOf(folder, 1), fileOf(folder, 2))
    expect(loaded(folder)).toEqual(states[1])
  })
})
