import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { History } from '../../src/observe/history.ts'
import { historyPoint } from '../../src/observe/history-point.ts'
import { type HttpServer, serveHttp } from '../../src/observe/http.ts'
import { readPageAssets } from '../../src/observe/page-assets.ts'
import { MetricsRegistry } from '../../src/observe/registry.ts'
import { statusOf } from './reports.ts'

const servers: HttpServer[] = []
const PAGE = readPageAssets('dist/web') // made by npm run build
const history = new History()
history.record(statusOf().at, historyPoint(statusOf()))

interface Overrides {
  readonly ready?: () => boolean
  readonly port?: number
}

/** The values of a stream as they come; undefined when it has ended. */
async function streamOf(url: string): Promise<{ next(): Promise<unknown> }> {
  const response = await fetch(`${url}/stream`)
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/)
  const lines = eventsOf(response.body as ReadableStream<Uint8Array>)
  return { next: async () => (await lines.next()).value }
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown, undefined> {
  let text = ''
  for await (const bytes of body) {
    text += Buffer.from(bytes).toString()
    for (const [whole, json = ''] of text.matchAll(/data: (.*)\n\n/g)) {
      text = text.slice(text.indexOf(whole) + whole.length)
      yield JSON.parse(json)
    }
  }
}

async function listening(overrides: Overrides = {}): Promise<HttpServer> {
  const server = await serveHttp({
    registry: new MetricsRegistry({ tasks: ['click'], version: '0.1.0' }),
    status: () => statusOf({ watermark: Number.POSITIVE_INFINITY }),
    ready: () => true,
    history,
    page: PAGE,
    ...overrides,
  })
  servers.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

describe('serveHttp', () => {
  test('binds to loopback unless told otherwise, on a free port for port 0', async () => {
    const { url } = await listening()
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/)
  })

  test('serves the metrics in the format that Prometheus reads', async () => {
    const { url } = await listening()
    const response = await fetch(`${url}/metrics`)
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(await response.text()).toContain('millrace_build_info{version="0.1.0"')
  })

  test('is alive at once and ready only when a version can be served', async () => {
    let ready = false
    const { url } = await listening({ ready: () => ready })
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    ready = true
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
  })

  test('gives the status as JSON, infinite times and absent figures left out', async () => {
    const { url } = await listening()
    const response = await fetch(`${url}/status`)
    const status = (await response.json()) as { tasks: { window: object }[] }
    expect(status).toMatchObject({ job: 'simulated', watermark: null, lagRecords: 42 })
    expect(status.tasks[1]?.window).not.toHaveProperty('auc')
  })

  test('every answer forbids framing, sniffing, caching and requests to anybody else', async () => {
    const { url } = await listening()
    for (const path of ['/', '/page.css', '/page.js', '/status', '/metrics', '/nothing']) {
      const { headers } = await fetch(url + path)
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy, path).toMatch(/^default-src 'none'/)
      expect(policy, path).not.toContain('unsafe')
      expect(headers.get('x-content-type-options'), path).toBe('nosniff')
      expect(headers.get('cache-control'), path).toBe('no-store')
    }
  })

  test('the page has what the policy allows: no inline code, nothing but its own files', async () => {
    const { url } = await listening()
    const html = await (await fetch(url)).text()
    expect(html).toBe(PAGE.html)
    expect(html).not.toMatch(/<style|style=|\son\w+=|<script>|https?:/)
    expect(PAGE.script).not.toMatch(/innerHTML|\beval\(|new Function|import\(/)
    expect(PAGE.css).not.toMatch(/@import|url\(/)
    for (const [, path] of html.matchAll(/(?:href|src)="(\/[^"]+)"/g)) {
      if (path !== '/stream') expect((await fetch(url + path)).status, path).toBe(200)
    }
  })

  test('gives the history of a span, and no other path below it', async () => {
    const { url } = await listening()
    const span = (await (await fetch(`${url}/history/10m`)).json()) as object
    expect(span).toMatchObject({ times: [statusOf().at], series: { 'auc/click': [0.71234] } })
    for (const path of ['1y', '..%2f..%2fetc', '__proto__', 'constructor', '']) {
      expect((await fetch(`${url}/history/${path}`)).status, path).toBe(404)
    }
  })

  test('streams each status that is pushed, the last one at once to a page that comes later', async () => {
    const server = await listening()
    const first = await streamOf(server.url)
    server.push()
    expect(await first.next()).toMatchObject({ job: 'simulated' })
    const second = await streamOf(server.url)
    expect(await second.next()).toMatchObject({ job: 'simulated' })
    await server.close()
    expect(await first.next()).toBeUndefined()
  })

  test('refuses what is no question: unknown paths, other methods, long bodies, broken requests', async () => {
    const { url } = await listening()
    expect((await fetch(`${url}/../../etc/passwd`)).status).toBe(404)
    expect((await fetch(`${url}/status`, { method: 'POST', body: '{}' })).status).toBe(404)
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('nonsense\r\n\r\n')
    const [bytes] = await once(socket, 'data')
    expect(String(bytes)).toMatch(/^HTTP\/1\.1 400/)
    socket.destroy()
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  test('closes although a client keeps its connection open', async () => {
    const server = await listening()
    const asked = request(`${server.url}/healthz`, { headers: { connection: 'keep-alive' } }).end()
    const [response] = await once(asked, 'response')
    response.resume()
    await once(response, 'end')
    await server.close()
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow()
  })

  test('a port in use is an IO error that says what to set', async () => {
    const { url } = await listening()
    await expect(listening({ port: Number(new URL(url).port) })).rejects.toMatchObject({
      code: 'IO',
      remedy: expect.stringContaining('observe.http.port'),
    })
  })
})
