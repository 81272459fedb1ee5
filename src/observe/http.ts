/** @file HTTP face of a learner: metrics for Prometheus, probes for an orchestrator, the status page for a person. */

import fastify, { type FastifyInstance } from 'fastify'
import { MillraceError, messageOf } from '../errors.ts'
import { PAGE_HTML } from './page-html.ts'
import { PAGE_SCRIPT } from './page-script.ts'
import { PAGE_STYLE } from './page-style.ts'
import type { MetricsRegistry } from './registry.ts'
import type { Status } from './status.ts'

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

/** What is served, and from where it is read at each request. */
export interface HttpOptions {
  readonly registry: MetricsRegistry
  readonly status: () => Status
  /** True once a model version can be served: after the first publication or a restore. */
  readonly ready: () => boolean
  /** Loopback unless told otherwise. */
  readonly host?: string
  /** 0 takes a free port. */
  readonly port?: number
}

/** A listening server. */
export interface HttpServer {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string
  /** Stops accepting, answers what is under way, closes idle connections. */
  close(): Promise<void>
}

/** Starts listening; IO error when the address cannot be bound. */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { host = '127.0.0.1', port = 0 } = options
  const server = fastify({ forceCloseConnections: 'idle', requestTimeout: 10_000, bodyLimit: 1024 })
  server.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
  })
  addMachineRoutes(server, options)
  addPageRoutes(server, options)
  try {
    const url = await server.listen({ host, port })
    return { url, close: () => server.close() }
  } catch (cause) {
    throw new MillraceError('IO', `cannot serve HTTP on ${host}:${port}: ${messageOf(cause)}`, {
      remedy: 'set observe.http.port to a free port, or to 0 to take any',
      cause,
    })
  }
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

function addPageRoutes(server: FastifyInstance, { status }: HttpOptions): void {
  server.get('/', async (_request, reply) => reply.type('text/html').send(PAGE_HTML))
  server.get('/page.css', async (_request, reply) => reply.type('text/css').send(PAGE_STYLE))
  server.get('/page.js', async (_request, reply) => reply.type('text/javascript').send(PAGE_SCRIPT))
  server.get('/status', async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(status())),
  )
}
