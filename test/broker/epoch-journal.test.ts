/** @file The epoch journal: what was appended comes back; a torn tail is dropped, damage is never taken for one. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Epoch, EpochJournal } from '../../src/broker/epoch-journal.ts'

let folder = ''
let path = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'))
  path = join(folder, 'journal')
})

afterAll(() => rmSync(folder, { recursive: true }))

const EPOCHS: readonly Epoch[] = [
  { number: 7, reads: [{ input: 0, from: 10, to: 2 ** 40 }], idle: [], finished: [], end: false },
  { number: 8, reads: [], idle: [0, 1], finished: [2], end: false, absentSchemas: [3, 2 ** 31] },
  {
    number: 9,
    reads: [
      { input: 1, from: 0, to: 5 },
      { input: 2, from: 3, to: 4 },
    ],
    idle: [],
    finished: [0, 1, 2],
    end: true,
  },
]

/** A new file with these epochs; returns its bytes and where each epoch ends. */
function written(epochs: readonly Epoch[]): { bytes: Buffer; ends: number[] } {
  rmSync(path, { force: true })
  const { journal } = EpochJournal.open(path)
  const ends = epochs.map((epoch) => {
    journal.append(epoch)
    return readFileSync(path).length
  })
  journal.close()
  return { bytes: readFileSync(path), ends }
}

function reopened(): Epoch[] {
  const { journal, pending } = EpochJournal.open(path)
  journal.close()
  return pending
}

test('a new journal is empty', () => {
  rmSync(path, { force: true })
  expect(reopened()).toEqual([])
  expect(existsSync(path)).toBe(true)
})

test('epochs come back as they were appended (seed 3)', () => {
  const natural = fc.nat(2 ** 31)
  const inputs = fc.array(fc.nat(9), { maxLength: 4 })
  const read = fc.record({ input: fc.nat(9), from: natural, to: natural })
  const epoch = fc.record({
    reads: fc.array(read, { maxLength: 4 }),
    idle: inputs,
    finished: inputs,
    end: fc.boolean(),
  })
  fc.assert(
    fc.property(natural, fc.array(epoch, { maxLength: 6 }), (first, list) => {
      const epochs = list.map((one, i) => ({ number: first + i, ...one }))
      written(epochs)
      expect(reopened()).toEqual(epochs)
    }),
    { seed: 3, numRuns: 60 },
  )
})

test('a file torn at any byte gives the epochs that were whole, and goes on after them', () => {
  const { bytes, ends } = written(EPOCHS)
  for (let length = 0; length <= bytes.length; length++) {
    writeFileSync(path, bytes.subarray(0, length))
    const whole = ends.filter((end) => end <= length).length
    const { journal, pending } = EpochJournal.open(path)
    expect(pending, `${length} bytes`).toEqual(EPOCHS.slice(0, whole))
    for (const epoch of EPOCHS.slice(whole)) journal.append(epoch)
    journal.close()
    expect(readFileSync(path).equals(bytes), `${length} bytes`).toBe(true)
  }
})

test('a tail that a file system made room for and lost is torn: zeros from any byte of its content on', () => {
  const { bytes, ends } = written(EPOCHS)
  const [, second = 0] = ends
  for (const from of [second, ...range(second + 12, bytes.length)]) {
    const lost = Buffer.from(bytes)
    lost.fill(0, from)
    writeFileSync(path, lost)
    expect(reopened(), `zeros from ${from}`).toEqual(EPOCHS.slice(0, 2))
  }
})

test('any flipped bit, in the first or the last epoch, is CORRUPT and leaves the file as it is', () => {
  const { bytes } = written(EPOCHS)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >>> 3]! ^= 1 << (bit & 7)
    writeFileSync(path, flipped)
    expect(() => reopened(), `bit ${bit}`).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
    expect(readFileSync(path).equals(flipped), `bit ${bit}`).toBe(true)
  }
})

test('an epoch that is missing between others is CORRUPT', () => {
  written([EPOCHS[0]!, EPOCHS[2]!])
  expect(() => reopened()).toThrow(
    expect.objectContaining({
      code: 'CORRUPT',
      message: expect.stringContaining('epoch 9 instead of 8'),
    }),
  )
})

test('reset forgets all but what it is told to keep; a crash before its rename forgets nothing', () => {
  const { bytes } = written(EPOCHS)
  writeFileSync(`${path}.tmp`, bytes.subarray(0, 9))
  expect(reopened()).toEqual(EPOCHS)
  const { journal } = EpochJournal.open(path)
  journal.reset(EPOCHS.slice(2))
  const next = { ...EPOCHS[1]!, number: 10 }
  journal.append(next)
  journal.close()
  expect(reopened()).toEqual([EPOCHS[2], next])
})

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}
