import { appendFileSync, copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { segmentsOf, temporaryLogs, textRecord, textsOf } from '../temporary-logs.ts'

const logs = temporaryLogs()
const SEED = 7

/** A topic with three frames of two records each, closed; returns where each frame ends. */
async function threeFrames(): Promise<{ path: string; segment: string; ends: number[] }> {
  const path = logs.directory()
  const log = await logs.open({ path, fsync: 'never' })
  await log.createTopic({ topic: 't', partitions: 1, cleanup: 'delete' })
  const ends: number[] = []
  let segment = ''
  for (let i = 0; i < 3; i++) {
    await log.append('t', [textRecord(`a${i}`, `x${i}`), textRecord(`b${i}`, 'long value')])
    segment = segmentsOf(path, 't')[0] ?? ''
    ends.push(readFileSync(segment).length)
  }
  await log.close()
  return { path, segment, ends }
}

const FOUR = [
  [0, 'a0', 'x0'],
  [1, 'b0', 'long value'],
  [2, 'a1', 'x1'],
  [3, 'b1', 'long value'],
]

describe('a file log whose last frame is torn', () => {
  it('is read up to it, then repaired and continued by the next writer, wherever it is cut', async () => {
    const { path, segment, ends } = await threeFrames()
    const whole = readFileSync(segment)
    const [, second = 0, third = 0] = ends
    for (let length = second; length < third; length++) {
      writeFileSync(segment, whole.subarray(0, length))
      const log = await logs.open({ path, fsync: 'never' })
      expect(await textsOf(log, 't')).toEqual(FOUR)
      expect(await log.append('t', [textRecord('new', 'record')])).toMatchObject([{ offset: 4 }])
      expect(await textsOf(log, 't')).toEqual([...FOUR, [4, 'new', 'record']])
      const torn = { path: segment, keptBytes: second, droppedBytes: length - second }
      expect(log.tornTails()).toEqual(length === second ? [] : [torn])
      await log.close()
    }
  })

  it('treats zeros at the end, which a power cut leaves, as a torn frame', async () => {
    const { path, segment, ends } = await threeFrames()
    const [, second = 0, third = 0] = ends
    const whole = readFileSync(segment)
    for (const kept of [second, second + 40, third - 4]) {
      const zeroed = Buffer.concat([whole.subarray(0, kept), Buffer.alloc(5000)])
      writeFileSync(segment, zeroed)
      const log = await logs.open({ path, fsync: 'never' })
      expect(await textsOf(log, 't')).toEqual(FOUR)
      await log.append('t', [textRecord('new', 'record')])
      expect(await textsOf(log, 't')).toEqual([...FOUR, [4, 'new', 'record']])
      await log.close()
    }
  })

  it('shows the frame to a reader that is already there once the rest of it is written', async () => {
    const { path, segment, ends } = await threeFrames()
    const whole = readFileSync(segment)
    truncateSync(segment, (ends[2] ?? 0) - 1)
    const log = await logs.open({ path, access: 'read-only' })
    const position = { topic: 't', partition: 0, offset: 4 }
    expect(await textsOf(log, 't')).toEqual(FOUR)
    expect(await log.waitForRecords([position], 0)).toBe(false)
    appendFileSync(segment, whole.subarray(-1))
    expect(await log.waitForRecords([position], 0)).toBe(true)
    expect(await textsOf(log, 't', 4)).toHaveLength(2)
  })

  it('does not confuse a reader that saw the torn frame before it was repaired and written over', async () => {
    const { path, segment, ends } = await threeFrames()
    const whole = readFileSync(segment)
    const at = { topic: 't', partition: 0, offset: 4 }
    const [, second = 0, third = 0] = ends
    const zeroed = Buffer.from(whole).fill(0, third - 4)
    const cuts = [1, 41, 45, third - second - 1].map((length) => whole.subarray(0, second + length))
    for (const torn of [...cuts, zeroed]) {
      writeFileSync(segment, torn)
      const reader = await logs.open({ path, access: 'read-only' })
      const ahead = await reader.read([{ ...at, offset: 0 }], 3)
      expect(ahead[0]?.nextOffset).toBe(3)
      expect(await reader.waitForRecords([at], 0)).toBe(false)
      const writer = await logs.open({ path, fsync: 'never' })
      for (const value of ['a longer value than the torn one had', '']) {
        await writer.append('t', [textRecord('new', value)])
      }
      await writer.close()
      expect(await reader.waitForRecords([at], 0)).toBe(true)
      expect(await textsOf(reader, 't', 3)).toEqual([
        [3, 'b1', 'long value'],
        [4, 'new', 'a longer value than the torn one had'],
        [5, 'new', ''],
      ])
      await reader.close()
    }
  })
})

describe('a file log with a damaged segment', () => {
  it('names file and byte for a flipped bit anywhere, to readers and to writers, and changes nothing', async () => {
    const { path, segment, ends } = await threeFrames()
    const whole = readFileSync(segment)
    const bits = fc.tuple(fc.nat(whole.length - 1), fc.nat(7))
    await fc.assert(
      fc.asyncProperty(bits, async ([byte, bit]) => {
        const damaged = Buffer.from(whole)
        damaged[byte] = (damaged[byte] ?? 0) ^ (1 << bit)
        writeFileSync(segment, damaged)
        const frameAt = [0, ...ends].findLast((end) => end <= byte) ?? 0
        const log = await logs.open({ path, fsync: 'never' })
        const corrupt = { code: 'CORRUPT', message: expect.stringContaining(`${segment} at byte `) }
        const reading = await textsOf(log, 't').catch((error: unknown) => error)
        expect(reading).toMatchObject(corrupt)
        const at = Number(/at byte (\d+)/.exec(String(reading))?.[1])
        expect(at).toBeGreaterThanOrEqual(frameAt)
        expect(at).toBeLessThanOrEqual(byte)
        await expect(log.append('t', [textRecord('k', 'v')])).rejects.toMatchObject(corrupt)
        expect(readFileSync(segment).equals(damaged)).toBe(true)
        await log.close()
      }),
      { seed: SEED, numRuns: 100 },
    )
  })

  it('still gives the frames before the damage', async () => {
    const { path, segment, ends } = await threeFrames()
    const damaged = readFileSync(segment)
    damaged[(ends[1] ?? 0) + 60] = 0xff
    writeFileSync(segment, damaged)
    const log = await logs.open({ path, access: 'read-only' })
    const [batch] = await log.read([{ topic: 't', partition: 0, offset: 0 }], 4)
    expect(batch?.records).toHaveLength(4)
    // The same position again fails again: nothing is skipped over.
    const at = { topic: 't', partition: 0, offset: 4 }
    await expect(log.read([at], 4)).rejects.toMatchObject({ code: 'CORRUPT' })
    await expect(log.read([at], 4)).rejects.toMatchObject({ code: 'CORRUPT' })
  })

  it('skips nothing after a read that ran into the damage', async () => {
    const { path, segment, ends } = await threeFrames()
    const damaged = readFileSync(segment)
    damaged[(ends[1] ?? 0) + 60] = 0xff
    writeFileSync(segment, damaged)
    const log = await logs.open({ path, access: 'read-only' })
    const at = { topic: 't', partition: 0, offset: 0 }
    await log.read([at], 1)
    const next = { ...at, offset: 1 }
    await expect(log.read([next], 100)).rejects.toMatchObject({ code: 'CORRUPT' })
    const [batch] = await log.read([next], 3)
    expect(batch?.records.map((record) => record.offset)).toEqual([1, 2, 3])
  })

  it('does not take zeros in the middle for the end', async () => {
    const { path, segment, ends } = await threeFrames()
    const damaged = readFileSync(segment)
    damaged.fill(0, ends[0], ends[1])
    writeFileSync(segment, damaged)
    const log = await logs.open({ path, fsync: 'never' })
    const corrupt = { code: 'CORRUPT', message: expect.stringContaining(`at byte ${ends[0]}`) }
    await expect(textsOf(log, 't')).rejects.toMatchObject(corrupt)
    await expect(log.append('t', [textRecord('k', 'v')])).rejects.toMatchObject(corrupt)
  })

  it('does not take another file for a segment', async () => {
    const { path, segment } = await threeFrames()
    copyFileSync('package.json', segment)
    const log = await logs.open({ path, fsync: 'never' })
    const corrupt = { code: 'CORRUPT', message: expect.stringContaining('at byte 0') }
    await expect(textsOf(log, 't')).rejects.toMatchObject(corrupt)
    await expect(log.append('t', [textRecord('k', 'v')])).rejects.toMatchObject(corrupt)
  })

  it('does not go past the torn end of a segment that has a successor', async () => {
    const path = logs.directory()
    const log = await logs.open({ path, segmentBytes: 1, fsync: 'never' })
    await log.createTopic({ topic: 't', partitions: 1, cleanup: 'delete' })
    for (const value of ['one', 'two']) await log.append('t', [textRecord('k', value)])
    const [first = ''] = segmentsOf(path, 't')
    truncateSync(first, readFileSync(first).length - 1)
    await expect(textsOf(log, 't')).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining(`${first} at byte 0`),
    })
  })
})
