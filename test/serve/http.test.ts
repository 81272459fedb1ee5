/** @file A scorer's HTTP face: scores, refusals that say why, limits against slow and huge requests, a clean end. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { FeatureEncoder } from '../../src/features/encode.ts'
import { Follower } from '../../src/serve/follower.ts'
import { type ScoringHttpOptions, type ScoringServer, serveScores } from '../../src/serve/http.ts'
import { Scorer } from '../../src/serve/scorer.ts'
import type { ScorerReport } from '../../src/serve/scorer-report.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { chunksOf, type SmallTrainer, smallTrainer } from '../publish/small-trainer.ts'

const LIMITS = {
  maxRows: 50,
  timeField: 'event_time',
  maxBodyBytes: 20_000,
  requestTimeoutMs: 1_000,
  drainMs: 2_000,
}

const open: ScoringServer[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

/** A scorer on a free port, and what it reported. */
async function listening(changes: Partial<ScoringHttpOptions> = {}) {
  const follower = new Follower(plainEngine('float32'))
  const reports: ScorerReport[] = []
  const server = await serveScores({
    scorer: new Scorer(follower),
    ready: () => follower.model !== undefined,
    metrics: { contentType: 'text/plain; version=0.0.4', expose: async () => 'metric 1\n' },
    report: (report) => reports.push(report),
    limits: LIMITS,
    ...changes,
  })
  open.push(server)
  return { server, url: server.url, follower, reports }
}

function publish(follower: Follower, trainer: SmallTrainer): void {
  for (const chunk of chunksOf(trainer.next())) follower.follow(chunk)
}

async function withModel(changes: Partial<ScoringHttpOptions> = {}) {
  const scorer = await listening(changes)
  const trainer = smallTrainer()
  publish(scorer.follower, trainer)
  return { ...scorer, trainer }
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/score`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const answer: Answer = {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
  return answer
}

const ROWS = Array.from({ length: 9 }, (_, i) => ({
  user: `u${i}`,
  tags: [`t${i % 3}`, 'x'],
  age: i / 4,
  event_time: 1000 * i,
}))

/** What a client without manners sends, and what comes back until the connection ends. */
async function talk(url: string, write: (socket: Socket) => void): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let heard = ''
  socket.on('data', (data) => {
    heard += String(data)
  })
  socket.on('error', () => undefined)
  write(socket)
  await once(socket, 'close')
  return heard
}

describe('POST /score', () => {
  test('gives every row the score that the trainer gives it, bit for bit, and names the version', async () => {
    const { url, follower, trainer, reports } = await withModel()
    for (let version = 1; version <= 3; version++) {
      const { status, body } = await post(url, { rows: ROWS })
      expect(status).toBe(200)
      expect(body).toMatchObject({ version, sha256: follower.sha256 })
      const encoder = new FeatureEncoder(follower.model!.spec)
      encoder.setStatistics(follower.model!.standardisation)
      const rows = ROWS.map((fields) => ({ fields, time: fields.event_time }))
      const expected = trainer.learner.score(encoder.encode(rows))
      const tasks = follower.model!.header.tasks
      const scores = body.scores as Record<string, number>[]
      expect(scores.map((row) => Object.keys(row))).toEqual(ROWS.map(() => [...tasks]))
      const found = tasks.flatMap((task) => scores.map((row) => row[task] ?? NaN))
      expect(found).toEqual([...expected])
      publish(follower, trainer)
    }
    expect(reports.filter(({ kind }) => kind === 'scored')).toEqual(
      Array.from({ length: 3 }, () => ({ kind: 'scored', rows: 9 })),
    )
  })

  test('is not there before a version is: 503, to be tried again', async () => {
    const { url, reports } = await listening()
    const answer = await post(url, { rows: ROWS })
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(answer.body.error).toContain('no model version yet')
    expect(reports).toMatchObject([{ kind: 'request', status: 503 }])
  })

  test('no row, no score', async () => {
    const { url } = await withModel()
    expect((await post(url, { rows: [] })).body).toMatchObject({ version: 1, scores: [] })
  })

  test.each([
    ['a wrong field', { rows: [ROWS[0], { ...ROWS[1], age: 'old' }] }, 400, 'rows[1].age is "old"'],
    ['no rows', { row: [] }, 400, '{"rows": '],
    ['broken JSON', '{"rows": [', 400, 'JSON'],
    ['nothing', '', 400, 'empty'],
    [
      'a prototype',
      '{"rows": [{"__proto__": {"age": 1}, "event_time": 1}]}',
      400,
      'not valid JSON',
    ],
    [
      'deep nesting',
      `{"rows": ${'['.repeat(9_000)}${']'.repeat(9_000)}}`,
      400,
      'rows[0] is a list',
    ],
    ['many rows', { rows: Array.from({ length: 51 }, () => ({})) }, 413, '51 rows, at most 50'],
    ['a large body', { rows: ['x'.repeat(30_000)] }, 413, 'larger than 20000 bytes'],
  ])('%s is refused with a sentence', async (_, body, status, message) => {
    const { url, reports } = await withModel()
    const answer = await post(url, body)
    expect(answer).toMatchObject({ status, body: { error: expect.stringContaining(message) } })
    expect(reports).toMatchObject([{ kind: 'request', status }])
    expect((await post(url, { rows: ROWS })).status).toBe(200)
  })

  test('other media types and methods are refused', async () => {
    const { url } = await withModel()
    expect((await post(url, 'rows', { 'content-type': 'text/csv' })).status).toBe(415)
    expect((await fetch(`${url}/score`)).status).toBe(404)
    expect((await fetch(`${url}/score`, { method: 'DELETE' })).status).toBe(404)
  })

  test('a fault of the program is told to the log and not to the client', async () => {
    class Broken extends Scorer {
      override score(): never {
        throw new Error('the secret detail')
      }
    }
    const follower = new Follower(plainEngine('float32'))
    publish(follower, smallTrainer())
    const { url, reports } = await listening({ scorer: new Broken(follower), ready: () => true })
    const answer = await post(url, { rows: ROWS })
    expect(answer.status).toBe(500)
    expect(JSON.stringify(answer.body)).not.toContain('secret')
    expect(reports[0]).toEqual({ kind: 'failed', message: 'the secret detail' })
  })
})

describe('a token', () => {
  const token = { reveal: () => 'open-sesame' }

  test('is asked for before the body is read, and the probes do not need it', async () => {
    const { url, reports } = await withModel({ token })
    const refused = await post(url, { rows: ROWS })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toBe('Bearer')
    expect((await post(url, 'x'.repeat(100_000))).status).toBe(401)
    expect((await post(url, { rows: ROWS }, { authorization: 'Bearer wrong' })).status).toBe(401)
    const allowed = await post(url, { rows: ROWS }, { authorization: 'Bearer open-sesame' })
    expect(allowed.status).toBe(200)
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      expect((await fetch(url + path)).status, path).toBe(200)
    }
    expect(JSON.stringify([refused, reports])).not.toContain('sesame')
  })
})

describe('the face', () => {
  test('binds to loopback unless told otherwise', async () => {
    expect((await listening()).url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/)
  })

  test('is alive at once, ready with a version, and shows its metrics', async () => {
    const { url, follower } = await listening()
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    publish(follower, smallTrainer())
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    const metrics = await fetch(`${url}/metrics`)
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(await metrics.text()).toBe('metric 1\n')
  })

  test('a port in use is an IO error that says what to give', async () => {
    const { url } = await listening()
    await expect(listening({ port: Number(new URL(url).port) })).rejects.toMatchObject({
      code: 'IO',
      remedy: expect.stringContaining('--port'),
    })
  })

  test.each([
    ['says nothing', ''],
    ['stops in the headers', 'POST /score HTTP/1.1\r\nhost: x\r\n'],
    [
      'stops in the body',
      'POST /score HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"rows"',
    ],
  ])('a client that %s is cut off, others are served meanwhile', async (_, text) => {
    const { url } = await withModel()
    const heard = talk(url, (socket) => socket.write(text))
    expect((await post(url, { rows: ROWS })).status).toBe(200)
    expect(await heard).toMatch(/^$|^HTTP\/1\.1 408 /)
  })

  test('what is no HTTP is answered with 400 and ends nothing', async () => {
    const { url } = await withModel()
    expect(await talk(url, (socket) => socket.write('nonsense\r\n\r\n'))).toMatch(/^HTTP\/1\.1 400/)
    const headers = `GET /healthz HTTP/1.1\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`
    expect(await talk(url, (socket) => socket.write(headers))).toMatch(/^HTTP\/1\.1 431/)
    expect((await post(url, { rows: ROWS })).status).toBe(200)
  })
})

describe('close', () => {
  /** A request whose headers the server has read, and whose last bytes come when `finish` is called. */
  async function slowRequest(url: string, body: string) {
    const headers = [
      'POST /score HTTP/1.1',
      'host: x',
      'content-type: application/json',
      `content-length: ${body.length}`,
      'expect: 100-continue',
    ]
    let opened: Socket | undefined
    const answer = talk(url, (socket) => {
      opened = socket
      socket.write(`${headers.join('\r\n')}\r\n\r\n${body.slice(0, 10)}`)
    })
    if (opened === undefined) throw new Error('no connection was opened')
    const socket: Socket = opened
    await once(socket, 'data') // 100 Continue
    return { answer, finish: () => socket.write(body.slice(10)) }
  }

  test('answers what is under way and takes nothing new', async () => {
    // The drain time is out of reach: what ends in time here was not cut off.
    const limits = { ...LIMITS, requestTimeoutMs: 60_000, drainMs: 60_000 }
    const { server, url } = await withModel({ limits })
    const slow = await slowRequest(url, JSON.stringify({ rows: ROWS }))
    const closed = server.close()
    expect(server.close()).toBe(closed)
    slow.finish()
    expect(await slow.answer).toMatch(/\r\nHTTP\/1\.1 200 [\s\S]*"scores":\[/)
    await closed
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
  })

  test('waits no longer than the drain time', async () => {
    const limits = { ...LIMITS, requestTimeoutMs: 60_000, drainMs: 100 }
    const { server, url } = await withModel({ limits })
    const slow = await slowRequest(url, JSON.stringify({ rows: ROWS }))
    await server.close()
    expect(await slow.answer).toBe('HTTP/1.1 100 Continue\r\n\r\n')
  })
})
