import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TopicLog } from '../../../src/broker/topic-log.ts'
import { randomFrom } from '../../../src/random.ts'
import type { Producer } from '../producer-process.ts'
import { compileProducer, startProducer } from '../producer-process.ts'
import { temporaryLogs, textRecord } from '../temporary-logs.ts'

const SEED = 20_260_101
const logs = temporaryLogs()
const programDirectory = mkdtempSync(join(tmpdir(), 'millrace-producer-'))
let program = ''

beforeAll(() => {
  program = compileProducer(programDirectory)
})
afterAll(() => rmSync(programDirectory, { recursive: true }))

/** What the producer writes as number `n`. */
const textOf = (n: number): string => String(n).repeat(1 + (n % 40))

/** Reads partition 0 from `offset` and checks that every record is the number of its offset; returns where it ended. */
async function checkFrom(log: TopicLog, offset: number): Promise<number> {
  for (let next = offset; ; ) {
    const [batch] = await log.read([{ topic: 't', partition: 0, offset: next }], 50)
    if (batch === undefined) return next
    for (const record of batch.records) {
      expect([record.offset, Buffer.from(record.value).toString()]).toEqual([next, textOf(next)])
      next++
    }
  }
}

/** A process that had the id of this one and started at another time. */
const deadHolder = { pid: process.pid, host: hostname(), started: '0', released: false }

async function makeTopics(): Promise<string> {
  const path = logs.directory()
  const log = await logs.open({ path })
  await log.createTopic({ topic: 't', partitions: 1, cleanup: 'delete' })
  await log.createTopic({ topic: 'model', partitions: 1, cleanup: 'delete' })
  await log.close()
  return path
}

/** The number that the producer had reached in its `count`th line, or its last one. */
async function acknowledged(producer: Producer, count: number): Promise<number> {
  let reached = 0
  let lines = 0
  for await (const line of producer.lines) {
    reached = Number(line)
    if (++lines === count) break
  }
  return reached
}

describe('a file log shared by processes', () => {
  it('is read here while another process appends, and takes appends to other topics', async () => {
    const path = await makeTopics()
    const log = await logs.open({ path, segmentBytes: 4000 })
    const producer = startProducer(program, { path, topic: 't', fsync: 'never', until: 2000 })
    let read = 0
    while (read < 2000) {
      const at = { topic: 't', partition: 0, offset: read }
      expect(await log.waitForRecords([at], 30_000)).toBe(true)
      read = await checkFrom(log, read)
      await log.append('model', [textRecord('version', String(read))])
    }
    expect(await producer.ended).toBe(0)
    expect(await checkFrom(log, 0)).toBe((await log.bounds('t'))[0]?.latest)
  })

  it.each(['never', 'always'])(
    'loses no acknowledged record when its writer is killed, again and again (fsync %s)',
    async (fsync) => {
      const path = await makeTopics()
      const random = randomFrom(SEED)
      for (let life = 0; life < 4; life++) {
        const producer = startProducer(program, { path, topic: 't', fsync, until: 1e9 })
        const reached = await acknowledged(producer, 1 + random.integer(60))
        producer.child.kill('SIGKILL')
        expect(await producer.ended).toBeNull()
        const log = await logs.open({ path, access: 'read-only' })
        const end = await checkFrom(log, 0)
        expect(end, `seed ${SEED}, life ${life}`).toBeGreaterThanOrEqual(reached)
        expect((await log.bounds('t'))[0]?.latest).toBe(end)
        await log.close()
      }
    },
  )

  it('names the process that already writes to a topic, and lets this one in when that one is dead', async () => {
    const path = await makeTopics()
    const producer = startProducer(program, { path, topic: 't', fsync: 'never', until: 1e9 })
    await once(producer.child.stdout, 'data')
    const log = await logs.open({ path })
    await expect(log.append('t', [textRecord('k', 'v')])).rejects.toMatchObject({
      code: 'BROKER',
      message: expect.stringContaining(`process ${producer.child.pid} on ${hostname()}`),
    })
    producer.child.kill('SIGKILL')
    await producer.ended
    const end = await checkFrom(log, 0)
    expect(await log.append('t', [textRecord('k', 'v')])).toMatchObject([{ offset: end }])
    const second = startProducer(program, { path, topic: 't', fsync: 'never', until: 1e9 })
    const [answer] = await once(second.child.stdout, 'data')
    expect(String(answer)).toContain(`process ${process.pid} on ${hostname()}`)
    expect(await second.ended).toBe(1)
  })

  it('lets one of several processes write that all want to at once', async () => {
    const path = await makeTopics()
    writeFileSync(join(path, 't', 'writer.1.lock'), JSON.stringify(deadHolder))
    const to = { path, topic: 't', fsync: 'never', until: 200 }
    const producers = Array.from({ length: 4 }, () => startProducer(program, to))
    const codes = await Promise.all(producers.map((producer) => producer.ended))
    // Each was refused or wrote its share in its turn; nobody wrote beside another.
    expect(codes.filter((code) => code === 0).length).toBeGreaterThanOrEqual(1)
    expect(codes.every((code) => code === 0 || code === 1)).toBe(true)
    const log = await logs.open({ path, access: 'read-only' })
    expect(await checkFrom(log, 0)).toBeGreaterThanOrEqual(200)
  })

  it('has one writer within a process as well', async () => {
    const path = await makeTopics()
    const [first, second] = [await logs.open({ path }), await logs.open({ path })]
    await first.append('t', [textRecord('k', 'v')])
    await second.append('model', [textRecord('k', 'v')])
    await expect(second.append('t', [textRecord('k', 'v')])).rejects.toMatchObject({
      code: 'BROKER',
      message: expect.stringContaining('this process itself'),
    })
    await first.close()
    expect(await second.append('t', [textRecord('k', 'v')])).toMatchObject([{ offset: 1 }])
  })
})

describe('the lock of a topic', () => {
  /** Appends to a topic whose lock file says this. */
  async function appendBeside(content: string): Promise<unknown> {
    const path = await makeTopics()
    writeFileSync(join(path, 't', 'writer.7.lock'), content)
    const log = await logs.open({ path })
    const answer = await log.append('t', [textRecord('k', 'v')]).catch((error: unknown) => error)
    const locks = readdirSync(join(path, 't')).filter((name) => name.startsWith('writer.'))
    return { answer, locks }
  }

  it('is taken over from an earlier process that had the same id', async () => {
    expect(await appendBeside(JSON.stringify(deadHolder))).toMatchObject({
      answer: [{ offset: 0 }],
      locks: ['writer.8.lock'],
    })
  })

  it('stands when its process is on another machine, where nobody can look', async () => {
    expect(await appendBeside(JSON.stringify({ ...deadHolder, host: 'elsewhere' }))).toMatchObject({
      answer: { code: 'BROKER', message: expect.stringContaining('on elsewhere') },
      locks: ['writer.7.lock'],
    })
  })

  it('is not guessed at when the file is unreadable', async () => {
    expect(await appendBeside('not json')).toMatchObject({
      answer: { code: 'CORRUPT', message: expect.stringContaining('writer.7.lock') },
      locks: ['writer.7.lock'],
    })
  })

  it('is marked as released, not deleted, so that its number is never used twice', async () => {
    const path = await makeTopics()
    const log = await logs.open({ path })
    await log.append('t', [textRecord('k', 'v')])
    await log.close()
    const text = readFileSync(join(path, 't', 'writer.1.lock'), 'utf8')
    expect(JSON.parse(text)).toMatchObject({ pid: process.pid, released: true })
  })
})
