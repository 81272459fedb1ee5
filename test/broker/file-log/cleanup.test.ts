import { readFileSync, statSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FileLog } from '../../../src/broker/file-log/file-log.ts'
import type { TopicDefinition } from '../../../src/broker/topic-log.ts'
import { segmentsOf, temporaryLogs, textRecord, textsOf } from '../temporary-logs.ts'

const logs = temporaryLogs()

/** A log whose every append goes into a segment of its own. */
async function segmentPerAppend(
  definition: Omit<TopicDefinition, 'topic' | 'partitions'>,
): Promise<{ log: FileLog; path: string }> {
  const path = logs.directory()
  const log = await logs.open({ path, segmentBytes: 1, fsync: 'never' })
  await log.createTopic({ topic: 't', partitions: 1, ...definition })
  return { log, path }
}

describe('retention', () => {
  it('forgets the oldest segments once the newer ones hold the stated bytes', async () => {
    const { log, path } = await segmentPerAppend({ cleanup: 'delete', retentionBytes: 200 })
    for (let i = 0; i < 10; i++) await log.append('t', [textRecord('k', `value-${i}`)])
    const bytes = segmentsOf(path, 't').map((segment) => statSync(segment).size)
    // The last segment was empty when old ones were dropped for it.
    const closed = bytes.slice(0, -1)
    const sum = closed.reduce((total, size) => total + size, 0)
    expect(sum).toBeGreaterThanOrEqual(200)
    expect(sum - (closed[0] ?? 0)).toBeLessThan(200)
    const [bounds] = await log.bounds('t')
    expect(bounds).toMatchObject({ earliest: 10 - bytes.length, latest: 10 })
    expect((await textsOf(log, 't', bounds?.earliest)).at(-1)).toEqual([9, 'k', 'value-9'])
  })

  it('forgets segments that are older than the stated time, counted from the newest record', async () => {
    const { log } = await segmentPerAppend({ cleanup: 'delete', retentionMs: 100 })
    for (const time of [0, 50, 1000, 1050, 1100])
      await log.append('t', [textRecord('k', 'v', time)])
    await log.append('t', [textRecord('k', 'v', 1150)])
    expect((await log.bounds('t'))[0]?.earliest).toBe(2)
  })

  it('says so when a reader asks for what is forgotten, and leaves alone a reader that is ahead', async () => {
    const { log, path } = await segmentPerAppend({ cleanup: 'delete', retentionBytes: 1 })
    const reader = await logs.open({ path, access: 'read-only' })
    await log.append('t', [textRecord('k', '0'), textRecord('k', '1')])
    const ahead = await reader.read([{ topic: 't', partition: 0, offset: 0 }], 1)
    expect(ahead[0]?.nextOffset).toBe(1)
    for (let i = 2; i < 6; i++) await log.append('t', [textRecord('k', String(i))])
    await expect(reader.read([{ topic: 't', partition: 0, offset: 0 }], 1)).rejects.toMatchObject({
      code: 'BROKER',
      message: 'offset 0 of t/0 is no longer kept, the first is 4',
    })
    expect(await textsOf(reader, 't', 4)).toHaveLength(2)
  })
})

describe('compaction', () => {
  it('keeps the newest record of every key at its offset', async () => {
    const keys = fc.array(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(keys, async (appended) => {
        const { log, path } = await segmentPerAppend({ cleanup: 'compact' })
        const reader = await logs.open({ path, access: 'read-only' })
        for (const [i, key] of appended.entries()) await log.append('t', [textRecord(key, `${i}`)])
        await log.compact('t')
        const newest = new Map(appended.map((key, i) => [key, i]))
        const expected = [...newest].map(([key, i]) => [i, key, `${i}`] as const)
        const sorted = expected.sort(([a], [b]) => a - b)
        expect(await textsOf(reader, 't')).toEqual(sorted)
        expect(await log.bounds('t')).toMatchObject([{ earliest: 0, latest: appended.length }])
        // Reading from inside a gap goes on with the next record there is.
        for (let offset = 0; offset <= appended.length; offset++) {
          const left = sorted.filter(([at]) => at >= offset)
          expect(await textsOf(reader, 't', offset)).toEqual(left)
        }
        await log.close()
        const again = await logs.open({ path, segmentBytes: 1, fsync: 'never' })
        expect(await again.append('t', [textRecord('z', 'z')])).toMatchObject([
          { offset: appended.length },
        ])
      }),
      { seed: 3, numRuns: 25 },
    )
  })

  it('does not disturb a reader that is in the middle of a segment', async () => {
    const { log, path } = await segmentPerAppend({ cleanup: 'compact' })
    const reader = await logs.open({ path, access: 'read-only' })
    await log.append('t', [textRecord('k', '0'), textRecord('k', '1'), textRecord('k', '2')])
    await reader.read([{ topic: 't', partition: 0, offset: 0 }], 1)
    await log.append('t', [textRecord('k', '3')])
    await log.compact('t')
    expect((await textsOf(reader, 't', 1)).map(([offset]) => offset)).toEqual([1, 2, 3])
    expect((await textsOf(reader, 't', 0)).map(([offset]) => offset)).toEqual([3])
  })

  it('that died half way leaves the log as it was', async () => {
    const { log, path } = await segmentPerAppend({ cleanup: 'compact' })
    await log.append('t', [textRecord('k', '0')])
    await log.close()
    const [segment = ''] = segmentsOf(path, 't')
    writeFileSync(`${segment}.draft`, readFileSync(segment).subarray(0, 10))
    const again = await logs.open({ path, fsync: 'never' })
    expect(await textsOf(again, 't')).toEqual([[0, 'k', '0']])
    await again.append('t', [textRecord('k', '1')])
    expect(() => statSync(`${segment}.draft`)).toThrow('ENOENT')
  })
})
