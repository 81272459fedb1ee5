import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileLogOptions } from '../../../src/broker/options.ts'
import { segmentsOf, temporaryLogs, textRecord, textsOf } from '../temporary-logs.ts'

const logs = temporaryLogs()

describe('opening a file log', () => {
  it('makes the directory, with those above it', async () => {
    const path = join(logs.directory(), 'a', 'b')
    const log = await logs.open({ path })
    expect(await log.topics()).toEqual(new Map())
  })

  it('says so when the path is a file or runs through one', async () => {
    const file = join(logs.directory(), 'file')
    writeFileSync(file, '')
    for (const path of [file, join(file, 'below')]) {
      await expect(logs.open({ path })).rejects.toMatchObject({
        code: 'IO',
        message: expect.stringContaining(`cannot open the log ${path}`),
      })
    }
    await expect(logs.open({ path: file, access: 'read-only' })).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining('it is a file'),
    })
  })

  it('read-only makes nothing and changes nothing', async () => {
    const path = join(logs.directory(), 'missing')
    await expect(logs.open({ path, access: 'read-only' })).rejects.toMatchObject({ code: 'IO' })
    mkdirSync(path)
    const log = await logs.open({ path, access: 'read-only' })
    const topic = { topic: 't', partitions: 1, cleanup: 'delete' } as const
    await expect(log.createTopic(topic)).rejects.toMatchObject({ code: 'BROKER' })
    await expect(log.append('t', [textRecord('k', 'v')])).rejects.toMatchObject({ code: 'BROKER' })
    expect(readdirSync(path)).toEqual([])
  })

  it('shows a topic that another log made meanwhile, and not the draft of one', async () => {
    const path = logs.directory()
    const [maker, other] = [await logs.open({ path }), await logs.open({ path })]
    await maker.createTopic({ topic: 't', partitions: 2, cleanup: 'delete' })
    mkdirSync(join(path, 'u~123', '0'), { recursive: true })
    writeFileSync(join(path, 'u~123', 'topic.json'), '{}')
    expect(await other.topics()).toEqual(new Map([['t', 2]]))
    await maker.append('t', [{ ...textRecord('k', 'v'), partition: 0 }])
    expect(await textsOf(other, 't')).toEqual([[0, 'k', 'v']])
  })

  it('names the file of a topic definition that is not one', async () => {
    const path = logs.directory()
    const log = await logs.open({ path })
    await log.createTopic({ topic: 't', partitions: 1, cleanup: 'delete' })
    for (const text of ['', 'null', '{"topic":"t","partitions":"2"}']) {
      writeFileSync(join(path, 't', 'topic.json'), text)
      const other = await logs.open({ path })
      await expect(other.bounds('t')).rejects.toMatchObject({
        code: 'CORRUPT',
        message: expect.stringContaining(join('t', 'topic.json')),
      })
    }
  })

  it('splits one large append over frames and segments, and finds any offset in them', async () => {
    const path = logs.directory()
    const log = await logs.open({ path, segmentBytes: 3_000_000 })
    await log.createTopic({ topic: 't', partitions: 1, cleanup: 'delete' })
    const value = Buffer.alloc(1000, 7)
    const records = Array.from({ length: 12_000 }, (_, timestampMs) => ({
      key: Buffer.from(String(timestampMs)),
      value,
      timestampMs,
    }))
    await log.append('t', records)
    expect(segmentsOf(path, 't').length).toBeGreaterThan(2)
    for (let offset = 0; offset < records.length; offset += 997) {
      const [batch] = await log.read([{ topic: 't', partition: 0, offset }], 2)
      expect(batch?.records.map((record) => record.offset)).toEqual([offset, offset + 1])
      expect(String(batch?.records[0]?.key)).toBe(String(offset))
    }
  })

  it('has a default for every option but the path', () => {
    expect(fileLogOptions.parse({ path: 'data' })).toEqual({
      path: 'data',
      access: 'read-write',
      fsync: 'interval',
      fsyncBytes: 8_388_608,
      segmentBytes: 67_108_864,
      maxRecordBytes: 1_048_576,
    })
    expect(() => fileLogOptions.parse({ path: 'data', segmentBytes: 0 })).toThrow()
    expect(() => fileLogOptions.parse({ path: 'data', fsnyc: 'never' })).toThrow()
  })
})
