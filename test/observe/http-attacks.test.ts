/** @file The learner's port under hostile clients: slow, huge and malformed requests, foreign hosts, paths that climb. */

import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { History } from '../../src/observe/history.ts'
import { type HttpServer, serveHttp } from '../../src/observe/http.ts'
import { readPageAssets } from '../../src/observe/page-assets.ts'
import { MetricsRegistry } from '../../src/observe/registry.ts'
import { statusOf } from './reports.ts'

const servers: HttpServer[] = []

async function listening(requestMs?: number): Promise<HttpServer> {
  const server = await serveHttp({
    registry: new MetricsRegistry({ tasks: ['click'], version: '0.1.0' }),
    status: () => statusOf(),
    ready: () => true,
    history: new History(),
    page: readPageAssets('dist/web'),
    ...(requestMs === undefined ? {} : { requestMs }),
  })
  servers.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

/** The status that raw bytes are answered with; undefined when the connection just ends. */
async function answerTo(url: string, bytes: string): Promise<string | undefined> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(bytes)
  let text = ''
  socket.on('data', (data) => {
    text += String(data)
  })
  await once(socket, 'close')
  return /^HTTP\/1\.1 (\d+)/.exec(text)?.[1]
}

async function statusFor(url: string, host: string): Promise<number | undefined> {
  const asked = request(`${url}/status`, { headers: { host } }).end()
  const [response] = await once(asked, 'response')
  response.resume()
  return response.statusCode
}

describe('the port of a learner', () => {
  test('is closed although somebody connected and never asked for anything', async () => {
    const { url, close } = await listening()
    const silent = connect(Number(new URL(url).port), '127.0.0.1')
    await once(silent, 'connect')
    await statusFor(url, 'localhost') // by now the server has taken the silent one, too
    const gone = once(silent, 'close')
    await close()
    await gone
  }, 20_000)

  test('answers on loopback only who asked for a loopback host: names that were pointed here get nothing', async () => {
    const { url } = await listening()
    const { port } = new URL(url)
    for (const host of ['127.0.0.1', 'localhost', `localhost:${port}`, `[::1]:${port}`]) {
      expect(await statusFor(url, host), host).toBe(200)
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1.evil.example',
      '10.0.0.7',
    ]) {
      expect(await statusFor(url, host), host).toBe(421)
    }
  })

  test('closes a connection whose head does not arrive in time, and goes on for others', async () => {
    const { url } = await listening(300)
    expect(await answerTo(url, 'GET /status HTTP/1.1\r\nhost: localhost\r\nx-slow: ')).toBe('408')
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  }, 20_000)

  test('refuses heads and bodies that are too large', async () => {
    const { url } = await listening()
    const head = `GET / HTTP/1.1\r\nhost: localhost\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`
    expect(await answerTo(url, head)).toBe('431')
    const body = await fetch(`${url}/status`, { method: 'POST', body: 'x'.repeat(100_000) })
    expect([404, 413, 415]).toContain(body.status)
  })

  test.each([
    ['bytes that are no HTTP', '\u0000\u0001\u0002\r\n\r\n', '400'],
    ['a method that does not exist', 'FROB / HTTP/1.1\r\nhost: localhost\r\n\r\n', '400'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      '400',
    ],
    [
      'a chunk without a size',
      'POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      '400',
    ],
  ])('answers %s with an error and lives on', async (_, bytes, status) => {
    const { url } = await listening()
    const answered = await answerTo(url, bytes)
    expect([status, '404']).toContain(answered)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  test('has no files: paths that climb lead nowhere', async () => {
    const { url } = await listening()
    for (const path of [
      '/../package.json',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/..%2fpackage.json',
      '/page.js/../../package.json',
      '//etc/passwd',
      '/history/..%2f..%2fpackage.json',
    ]) {
      const answered = await answerTo(
        url,
        `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`,
      )
      expect(['400', '404'], path).toContain(answered)
    }
  })
})
