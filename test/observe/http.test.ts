import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { Script } from 'node:vm'
import { afterEach, describe, expect, test } from 'vitest'
import { type HttpServer, serveHttp } from '../../src/observe/http.ts'
import { PAGE_HTML } from '../../src/observe/page-html.ts'
import { PAGE_SCRIPT } from '../../src/observe/page-script.ts'
import { PAGE_STYLE } from '../../src/observe/page-style.ts'
import { MetricsRegistry } from '../../src/observe/registry.ts'
import { statusOf } from './reports.ts'

const servers: HttpServer[] = []

interface Overrides {
  readonly ready?: () => boolean
  readonly port?: number
}

async function listening(overrides: Overrides = {}): Promise<HttpServer> {
  const server = await serveHttp({
    registry: new MetricsRegistry({ tasks: ['click'], version: '0.1.0' }),
    status: () => statusOf({ watermark: Number.POSITIVE_INFINITY }),
    ready: () => true,
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

  test('the page has what the policy allows: no inline code, no address of another host', async () => {
    const { url } = await listening()
    const html = await (await fetch(url)).text()
    expect(html).toBe(PAGE_HTML)
    expect(html).not.toMatch(/<style|style=|\son\w+=|<script>/)
    const everything = PAGE_HTML + PAGE_STYLE + PAGE_SCRIPT
    expect(everything).not.toMatch(/https?:|\/\/[a-z]|@import|url\(|innerHTML|eval/)
    for (const [, path] of html.matchAll(/(?:href|src)="(\/[^"]+)"/g)) {
      expect((await fetch(url + path)).status, path).toBe(200)
    }
  })

  test('the script parses, and every element it fills is on the page', () => {
    expect(() => new Script(PAGE_SCRIPT)).not.toThrow()
    const ids = [...PAGE_SCRIPT.matchAll(/(?:byId|fillList|fillTable)\('([a-z]+)'/g)]
    expect(ids.length).toBeGreaterThan(4)
    for (const [, id] of ids) expect(PAGE_HTML).toContain(`id="${id}"`)
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
