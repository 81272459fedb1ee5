/** @file What every TopicLog promises; run over each of them, so that the one in memory cannot lie about the others. */

import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { partitionOf } from '../../src/broker/partitioner.ts'
import type { TopicLog } from '../../src/broker/topic-log.ts'
import { bytes, plain, readAll, record, start, text } from './topic-log-probe.ts'

/** How the suite gets at the log under test. */
export interface TopicLogUnderTest {
  readonly log: TopicLog
  /** Closes it and opens the same log again; absent when nothing survives closing. */
  readonly reopen?: () => Promise<TopicLog>
  readonly dispose: () => Promise<void>
}

const SEED = 20_220_425

/** Runs the suite over the logs that `makeLog` makes, each empty, with a record limit from 1 MiB to 8 MiB. */
export function topicLogContract(
  name: string,
  { durable }: { readonly durable: boolean },
  makeLog: () => Promise<TopicLogUnderTest>,
): void {
  describe(`${name} keeps the contract of a topic log`, () => {
    const made: TopicLogUnderTest[] = []
    afterEach(async () => {
      for (const { dispose } of made.splice(0)) await dispose()
    })

    async function logWith(topic: string, partitions: number): Promise<TopicLogUnderTest> {
      const under = await makeLog()
      made.push(under)
      await under.log.createTopic({ topic, partitions, cleanup: 'delete' })
      return under
    }

    it('gives back key, value and time, at dense offsets, in the order of the appends', async () => {
      const { log } = await logWith('events', 1)
      const first = await log.append('events', [record('a', 'one', 5), record('b', 'two', 4)])
      const second = await log.append('events', [record('a', 'three', 6)])
      expect([...first, ...second]).toEqual(
        [0, 1, 2].map((offset) => ({ topic: 'events', partition: 0, offset })),
      )
      expect(plain(await log.read(start('events', 1), 10))).toEqual([
        {
          topic: 'events',
          partition: 0,
          nextOffset: 3,
          records: [
            [0, 'a', 'one', 5],
            [1, 'b', 'two', 4],
            [2, 'a', 'three', 6],
          ],
        },
      ])
    })

    it('keeps everything from the offset on that it was trimmed to, at the same offsets', async () => {
      const { log } = await logWith('events', 1)
      const four = [1, 2, 3, 4].map((n) => record('a', String(n), n))
      await log.append('events', four)
      await log.trim?.({ topic: 'events', partition: 0, offset: 2 })
      const [bounds] = await log.bounds('events')
      expect(bounds?.earliest).toBeLessThanOrEqual(2)
      expect(bounds?.latest).toBe(4)
      await log.append('events', [record('a', '5', 5)])
      const [batch] = await log.read([{ topic: 'events', partition: 0, offset: 2 }], 10)
      expect(batch?.records.map(({ offset }) => offset)).toEqual([2, 3, 4])
    })

    it('puts a key into the partition that Kafka would choose, and a record with a partition there', async () => {
      const { log } = await logWith('events', 5)
      const keys = Array.from({ length: 40 }, (_, i) => `user-${i}`)
      const positions = await log.append('events', [
        ...keys.map((key) => record(key, 'x')),
        record('user-0', 'x', 0, 3),
      ])
      expect(positions.map((at) => at.partition)).toEqual([
        ...keys.map((key) => partitionOf(bytes(key), 5)),
        3,
      ])
      expect(new Set(positions.map((at) => at.partition)).size).toBe(5)
    })

    it('answers positions in the order given and leaves out those at their end', async () => {
      const { log } = await logWith('events', 3)
      await log.append(
        'events',
        [0, 2, 2].map((p, i) => record('k', `v${i}`, i, p)),
      )
      const positions = [2, 1, 0].map((partition) => ({ topic: 'events', partition, offset: 0 }))
      const batches = await log.read(positions, 10)
      expect(batches.map((b) => [b.partition, b.records.length, b.nextOffset])).toEqual([
        [2, 2, 2],
        [0, 1, 1],
      ])
      expect(await log.read([{ topic: 'events', partition: 2, offset: 2 }], 10)).toEqual([])
    })

    it('gives the same records however a read is cut, and the same batch for the same position', async () => {
      const { log } = await logWith('events', 1)
      const appends = fc.array(
        fc.array(fc.tuple(fc.string(), fc.string({ maxLength: 300 }), fc.nat()), { maxLength: 20 }),
        { maxLength: 6 },
      )
      let written: unknown[] = []
      await fc.assert(
        fc.asyncProperty(appends, fc.integer({ min: 1, max: 30 }), async (calls, maxRecords) => {
          for (const call of calls) {
            const outgoing = call.map(([key, value, time]) => record(key, value, time))
            const positions = await log.append('events', outgoing)
            written = [
              ...written,
              ...call.map(([key, value, time], i) => [
                positions[i]?.offset,
                text(bytes(key)),
                text(bytes(value)),
                time,
              ]),
            ]
          }
          const [from] = start('events', 1)
          if (from === undefined) throw new Error('no position')
          expect(await readAll(log, from, maxRecords)).toEqual(written)
          const middle = { ...from, offset: Math.floor(written.length / 2) }
          const once = plain(await log.read([middle], maxRecords))
          expect(plain(await log.read([middle], maxRecords))).toEqual(once)
        }),
        { seed: SEED, numRuns: 25 },
      )
    })

    it('knows the bounds of each partition', async () => {
      const { log } = await logWith('events', 2)
      expect(await log.bounds('events')).toEqual([
        { topic: 'events', partition: 0, earliest: 0, latest: 0 },
        { topic: 'events', partition: 1, earliest: 0, latest: 0 },
      ])
      await log.append('events', [record('k', 'v', 0, 1), record('k', 'v', 0, 1)])
      expect((await log.bounds('events')).map((at) => at.latest)).toEqual([0, 2])
    })

    it('keeps empty keys, empty values and a value of a mebibyte', async () => {
      const { log } = await logWith('events', 1)
      const large = new Uint8Array(1_048_570).map((_, i) => i * 31)
      await log.append('events', [
        record('', ''),
        { key: bytes('big'), value: large, timestampMs: -1.5 },
        record('k', ''),
      ])
      const [batch] = await log.read(start('events', 1), 10)
      expect(batch?.records.map((r) => [r.key.length, r.value.length, r.timestampMs])).toEqual([
        [0, 0, 0],
        [3, 1_048_570, -1.5],
        [1, 0, 0],
      ])
      expect(Buffer.compare(batch?.records[1]?.value ?? bytes(''), large)).toBe(0)
    })

    it('keeps what was appended when the caller uses its buffer again', async () => {
      const { log } = await logWith('events', 1)
      const value = bytes('before')
      await log.append('events', [{ key: bytes('k'), value, timestampMs: 0 }])
      value.fill(0)
      const [batch] = await log.read(start('events', 1), 1)
      expect(text(batch?.records[0]?.value ?? bytes(''))).toBe('before')
    })

    it('does concurrent appends one after the other, in the order of the calls', async () => {
      const { log } = await logWith('events', 1)
      const calls = Array.from({ length: 20 }, (_, i) =>
        log.append('events', [record('k', `${i}a`), record('k', `${i}b`)]),
      )
      const positions = (await Promise.all(calls)).flat()
      expect(positions.map((at) => at.offset)).toEqual(Array.from({ length: 40 }, (_, i) => i))
      const [batch] = await log.read(start('events', 1), 100)
      expect(batch?.records.map((r) => text(r.value))).toEqual(
        Array.from({ length: 20 }, (_, i) => [`${i}a`, `${i}b`]).flat(),
      )
    })

    it('takes an append of nothing', async () => {
      const { log } = await logWith('events', 1)
      expect(await log.append('events', [])).toEqual([])
      expect(await log.read(start('events', 1), 1)).toEqual([])
    })

    it('makes a topic once, and refuses another number of partitions', async () => {
      const { log } = await logWith('events', 2)
      await log.append('events', [record('k', 'v')])
      await log.createTopic({ topic: 'events', partitions: 2, cleanup: 'delete' })
      await log.createTopic({ topic: 'model', partitions: 1, cleanup: 'compact' })
      expect(new Map(await log.topics())).toEqual(
        new Map([
          ['events', 2],
          ['model', 1],
        ]),
      )
      await expect(
        log.createTopic({ topic: 'events', partitions: 3, cleanup: 'delete' }),
      ).rejects.toMatchObject({ code: 'BROKER', message: 'topic events has 2 partitions, not 3' })
      expect((await log.bounds('events')).reduce((sum, at) => sum + at.latest, 0)).toBe(1)
    })

    it.each([
      ['', 1],
      ['..', 1],
      ['a/b', 1],
      ['a b', 1],
      ['x'.repeat(250), 1],
      ['fine', 0],
      ['fine', 1.5],
    ])('refuses the topic %j with %d partitions', async (topic, partitions) => {
      const { log } = await logWith('events', 1)
      await expect(log.createTopic({ topic, partitions, cleanup: 'delete' })).rejects.toMatchObject(
        { code: 'BROKER' },
      )
      expect([...(await log.topics()).keys()]).toEqual(['events'])
    })

    it('says which topics there are when asked for one that nobody made', async () => {
      const { log } = await logWith('events', 1)
      const expected = { code: 'BROKER', remedy: expect.stringContaining('events') }
      const at = { topic: 'clicks', partition: 0, offset: 0 }
      await expect(log.append('clicks', [record('k', 'v')])).rejects.toMatchObject(expected)
      await expect(log.read([at], 1)).rejects.toMatchObject(expected)
      await expect(log.bounds('clicks')).rejects.toMatchObject(expected)
      await expect(log.waitForRecords([at], 0)).rejects.toMatchObject(expected)
    })

    it('refuses partitions that do not exist and writes nothing of such an append', async () => {
      const { log } = await logWith('events', 2)
      await expect(
        log.append('events', [record('k', 'v', 0, 0), record('k', 'v', 0, 2)]),
      ).rejects.toMatchObject({ code: 'BROKER' })
      await expect(
        log.read([{ topic: 'events', partition: -1, offset: 0 }], 1),
      ).rejects.toMatchObject({ code: 'BROKER' })
      expect((await log.bounds('events')).map((at) => at.latest)).toEqual([0, 0])
    })

    it('refuses a record above its limit by name, before anything is written', async () => {
      const { log } = await logWith('events', 1)
      const huge = { key: bytes('k'), value: new Uint8Array(9_000_000), timestampMs: 0 }
      await expect(log.append('events', [record('k', 'v'), huge])).rejects.toMatchObject({
        code: 'BROKER',
        message: expect.stringContaining('record 1 for events has 9000001 bytes'),
      })
      expect((await log.bounds('events'))[0]?.latest).toBe(0)
    })

    it('refuses to read beyond the end: that position was never handed out', async () => {
      const { log } = await logWith('events', 1)
      await log.append('events', [record('k', 'v')])
      await expect(
        log.read([{ topic: 'events', partition: 0, offset: 2 }], 1),
      ).rejects.toMatchObject({ code: 'BROKER' })
    })

    it('waits until a record is there, or says that none came', async () => {
      const { log } = await logWith('events', 2)
      const positions = start('events', 2)
      expect(await log.waitForRecords(positions, 1)).toBe(false)
      const waiting = log.waitForRecords(positions, 60_000)
      await log.append('events', [record('k', 'v', 0, 1)])
      expect(await waiting).toBe(true)
      expect(await log.waitForRecords(positions, 0)).toBe(true)
      expect(await log.waitForRecords([{ topic: 'events', partition: 1, offset: 1 }], 0)).toBe(
        false,
      )
    })

    it('ends a wait when it is closed, and then refuses everything', async () => {
      const { log } = await logWith('events', 1)
      const waiting = log.waitForRecords(start('events', 1), 60_000)
      await log.close()
      await log.close()
      expect(await waiting).toBe(false)
      const closed = { code: 'BROKER', message: expect.stringContaining('is closed') }
      await expect(log.read(start('events', 1), 1)).rejects.toMatchObject(closed)
      await expect(log.append('events', [record('k', 'v')])).rejects.toMatchObject(closed)
      await expect(log.topics()).rejects.toMatchObject(closed)
    })

    if (!durable) return
    it('goes on after it was closed and opened again', async () => {
      const under = await logWith('events', 2)
      if (under.reopen === undefined) throw new Error('a durable log must be able to reopen')
      await under.log.append('events', [record('k', 'one', 0, 1), record('k', 'two', 0, 1)])
      const log = await under.reopen()
      expect(await log.append('events', [record('k', 'three', 0, 1)])).toEqual([
        { topic: 'events', partition: 1, offset: 2 },
      ])
      const [batch] = await log.read([{ topic: 'events', partition: 1, offset: 0 }], 10)
      expect(batch?.records.map((r) => text(r.value))).toEqual(['one', 'two', 'three'])
    })
  })
}
