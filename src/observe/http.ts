/** @file HTTP face of a learner: metrics for Prometheus, probes for an orchestrator, the status page for a person. */

import fastify, { type FastifyInstance } from 'fastify'
import { MillraceError, messageOf } from '../errors.ts'
import { drain } from '../serve/drain.ts'
import type { History } from './history.ts'
import type { PageAssets } from './page-assets.ts'
import type { MetricsRegistry } from './registry.ts'
import type { Status } from './status.ts'
import { StatusStream } from './status-stream.ts'

/** Same-origin only: no inline script, no inline style, no request to anybody else, no framing. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:', // the empty favicon
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** Longest time for a request to arrive, and for its head alone, ms. */
const REQUEST_MS = 10_000

/** Longest wait for answers under way at the end, ms. */
const DRAIN_MS = 1_000

/** What is served, and from where it is read at each request. */
export interface HttpOptions {
  readonly registry: MetricsRegistry
  readonly status: () => Status
  readonly history: History
  readonly page: PageAssets
  /** True once a model version can be served: after the first publication or a restore. */
  readonly ready: () => boolean
  /** Loopback unless told otherwise. */
  readonly host?: string
  /** Longest time for a request to arrive, ms; ten seconds unless told otherwise. */
  readonly requestMs?: number
  /** 0 takes a free port. */
  readonly port?: number
}

/** A listening server. */
export interface HttpServer {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string
  /** Sends the status, as it is now, to every open page. */
  push(): void
  /** Stops accepting, answers what is under way for at most a second, closes every connection. */
  close(): Promise<void>
}

/** Starts listening; IO error when the address cannot be bound. */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { host = '127.0.0.1', port = 0, requestMs = REQUEST_MS } = options
  const server = fastify({
    forceCloseConnections: 'idle',
    requestTimeout: requestMs,
    bodyLimit: 1024,
    http: {
      headersTimeout: requestMs,
      maxHeaderSize: 16_384,
      // Node looks for slow clients every 30 s otherwise.
      connectionsCheckingInterval: Math.min(1_000, requestMs),
    },
  })
  if (isLoopback(host)) refuseForeignHosts(server)
  const stream = new StatusStream()
  server.addHook('onSend', async (_request, reply) => void reply.headers(HEADERS))
  addMachineRoutes(server, options)
  addPageRoutes(server, options)
  addLiveRoutes(server, options, stream)
  try {
    const url = await server.listen({ host, port })
    return {
      url,
      push: () => {
        if (stream.clients > 0) stream.send(JSON.stringify(options.status()))
      },
      close: () => {
        stream.close()
        return drain(server, DRAIN_MS)
      },
    }
  } catch (cause) {
    throw new MillraceError('IO', `cannot serve HTTP on ${host}:${port}: ${messageOf(cause)}`, {
      remedy: 'set observe.http.port to a free port, or to 0 to take any',
      cause,
    })
  }
}

/**
 * A page from elsewhere can have its own name point to this machine and then read what it finds here (DNS rebinding): on a
 * loopback address only requests that name a loopback host are answered.
 */
function refuseForeignHosts(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    const name = (request.headers.host ?? '').replace(/:\d+$/, '')
    if (isLoopback(name.replace(/^\[(.*)\]$/, '$1'))) return
    await reply.code(421).type('text/plain').send('this host is not served here\n')
  })
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

function addMachineRoutes(server: FastifyInstance, { registry, ready }: HttpOptions): void {
  server.get('/metrics', async (_request, reply) => {
    const text = await registry.expose()
    return reply.type(registry.contentType).send(text)
  })
  server.get('/healthz', async (_request, reply) => reply.type('text/plain').send('alive\n'))
  server.get('/readyz', async (_request, reply) => {
    const isReady = ready()
    return reply
      .code(isReady ? 200 : 503)
      .type('text/plain')
      .send(isReady ? 'ready\n' : 'no model version is published yet\n')
  })
}

function addPageRoutes(server: FastifyInstance, { page }: HttpOptions): void {
  server.get('/', async (_request, reply) => reply.type('text/html').send(page.html))
  server.get('/page.css', async (_request, reply) => reply.type('text/css').send(page.css))
  server.get('/page.js', async (_request, reply) => reply.type('text/javascript').send(page.script))
}

function addLiveRoutes(
  server: FastifyInstance,
  { status, history }: HttpOptions,
  stream: StatusStream,
): void {
  server.get('/status', async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(status())),
  )
  server.get<{ Params: { span: string } }>('/history/:span', async ({ params }, reply) => {
    if (!history.spans.includes(params.span)) {
      return reply
        .code(404)
        .type('text/plain')
        .send(`one of ${history.spans.join(', ')}\n`)
    }
    return reply.type('application/json').send(JSON.stringify(history.span(params.span)))
  })
  server.get('/stream', (_request, reply) => {
    reply.hijack()
    stream.add(reply.raw, HEADERS)
  })
}
