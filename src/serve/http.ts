/** @file HTTP face of a scorer: `POST /score`, probes for an orchestrator, metrics for Prometheus. */

import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify'
import { MillraceError, messageOf } from '../errors.ts'
import type { FeatureSpec } from '../features/feature-spec.ts'
import type { FeatureRow } from '../features/slot-encoders.ts'
import { drain } from './drain.ts'
import { AVRO_TYPE, AvroBodies, type ScoreSchemas } from './http-avro.ts'
import { RowReader, type RowRules } from './http-rows.ts'
import { type HiddenToken, tokenCheck } from './http-token.ts'
import { openApi } from './openapi.ts'
import type { Scored, Scorer } from './scorer.ts'
import type { ScorerReport } from './scorer-report.ts'
import type { Shadow } from './shadow.ts'

/** What one request may cost. */
export interface ScoringLimits extends RowRules {
  readonly maxBodyBytes: number
  /** Longest time from the first byte of a request to its last. */
  readonly requestTimeoutMs: number
  /** Longest wait, when closing, for requests under way. */
  readonly drainMs: number
}

/** The Prometheus text format of the scorer's own metrics. */
export interface ExposedMetrics {
  readonly contentType: string
  expose(): Promise<string>
}

/** What is served, and how. */
export interface ScoringHttpOptions {
  readonly scorer: Scorer
  /** Of the program; stands in the OpenAPI document. */
  readonly version?: string
  /** Without them, bodies are JSON only. */
  readonly schemas?: ScoreSchemas
  /** Scores a share of the rows once more, after the answer. */
  readonly shadow?: Shadow | undefined
  /** True when the follower has read to the end of the topic once, obeyed its operators, and a version is in use; no answers before. */
  readonly ready: () => boolean
  readonly metrics: ExposedMetrics
  readonly report: (report: ScorerReport) => void
  readonly limits: ScoringLimits
  /** Without it, everybody who reaches the address may score. */
  readonly token?: HiddenToken | undefined
  /** Loopback unless told otherwise. */
  readonly host?: string
  /** 0 takes a free port. */
  readonly port?: number
}

/** A listening scorer. */
export interface ScoringServer {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string
  /** Takes no new requests, answers those under way for at most `drainMs`, then cuts them off. */
  close(): Promise<void>
}

/** How often connections are checked for requests that take too long, ms. */
const CHECK_EVERY_MS = 500

/** Starts listening; IO error when the address cannot be bound. */
export async function serveScores(options: ScoringHttpOptions): Promise<ScoringServer> {
  const { host = '127.0.0.1', port = 0, limits } = options
  const { requestTimeoutMs, maxBodyBytes } = limits
  const server = fastify({
    http: { connectionsCheckingInterval: CHECK_EVERY_MS, headersTimeout: requestTimeoutMs },
    requestTimeout: requestTimeoutMs,
    bodyLimit: maxBodyBytes,
    forceCloseConnections: 'idle',
  })
  let closing: Promise<void> | undefined
  addHeaders(server, () => closing !== undefined)
  addErrors(server, options)
  addProbes(server, options)
  addScore(server, options)
  try {
    const url = await server.listen({ host, port })
    return {
      url,
      close: () => {
        closing ??= drain(server, limits.drainMs)
        return closing
      },
    }
  } catch (cause) {
    throw new MillraceError('IO', `cannot serve HTTP on ${host}:${port}: ${messageOf(cause)}`, {
      remedy: 'give a free port with --port, or 0 to take any',
      cause,
    })
  }
}

function addHeaders(server: FastifyInstance, draining: () => boolean): void {
  server.addHook('onSend', async (_request, reply) => {
    reply.headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
    // A connection that is kept open after its last answer would hold the end up.
    if (draining()) reply.header('connection', 'close')
  })
}

/** Every answer that is no success is `{"error": "sentence"}`; faults of the program keep their details for the log. */
function addErrors(server: FastifyInstance, { report, limits }: ScoringHttpOptions): void {
  server.setNotFoundHandler(async (_request, reply) =>
    refuse(
      reply,
      404,
      'not found; there are POST /score, GET /openapi.json, /healthz, /readyz and /metrics',
    ),
  )
  server.setErrorHandler<FastifyError>(async (error, _request, reply) => {
    const { statusCode = 500 } = error
    if (statusCode >= 500) {
      report({ kind: 'failed', message: messageOf(error) })
      return refuse(reply, 500, 'a fault of the scorer; its log says more')
    }
    const message =
      statusCode === 413
        ? `the body is larger than ${limits.maxBodyBytes} bytes`
        : statusCode === 415
          ? `send the body as content-type: application/json or ${AVRO_TYPE}`
          : messageOf(error)
    return refuse(reply, statusCode, message)
  })
}

function addProbes(server: FastifyInstance, { metrics, ready }: ScoringHttpOptions): void {
  server.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.expose()),
  )
  server.get('/healthz', async (_request, reply) => reply.type('text/plain').send('alive\n'))
  server.get('/readyz', async (_request, reply) => {
    const isReady = ready()
    return reply
      .code(isReady ? 200 : 503)
      .type('text/plain')
      .send(isReady ? 'ready\n' : 'no model version yet\n')
  })
}

function addScore(server: FastifyInstance, options: ScoringHttpOptions): void {
  const { scorer, report, limits, token } = options
  const allowed = token === undefined ? () => true : tokenCheck(token)
  const readerOf = rowReaders(limits)
  const avro = options.schemas && new AvroBodies(options.schemas)
  avro?.addTo(server, limits.timeField)
  server.get('/openapi.json', async () =>
    openApi({
      version: options.version ?? '0',
      tasks: scorer.tasks,
      reader: scorer.spec && readerOf(scorer.spec),
      maxRows: limits.maxRows,
      withToken: token !== undefined,
    }),
  )
  server.route({
    method: 'POST',
    url: '/score',
    // Before the body is read: who may not score costs nothing.
    onRequest: async (request, reply) => {
      if (allowed(request.headers.authorization)) return
      reply.header('www-authenticate', 'Bearer')
      return refuse(reply, 401, 'send the token as authorization: Bearer <token>')
    },
    onResponse: async (_request, reply) => {
      report({ kind: 'request', status: reply.statusCode, seconds: reply.elapsedTime / 1000 })
    },
    handler: async (request, reply) => {
      const { spec } = scorer
      if (spec === undefined || !options.ready()) return refuseWithoutModel(reply)
      const read = readerOf(spec).read(request.body)
      if (read.kind === 'fault') return refuse(reply, read.status, read.message)
      const scored = scorer.score(read.rows)
      if (scored === undefined) return refuseWithoutModel(reply)
      report({ kind: 'scored', rows: read.rows.length })
      shadowed(options, read.rows, scored)
      if (avro === undefined || request.headers['content-type']?.startsWith(AVRO_TYPE) !== true) {
        return reply.send(answerOf(scored, read.rows.length))
      }
      return reply.type(AVRO_TYPE).send(avro.write(scored, read.rows.length))
    },
  })
}

/** Compares in a turn of its own: whoever asked does not wait for it, and its faults are not theirs. */
function shadowed(
  { shadow, report }: ScoringHttpOptions,
  rows: readonly FeatureRow[],
  scored: Scored,
): void {
  if (shadow === undefined) return
  setImmediate(() => {
    try {
      const compared = shadow.compare(rows, scored)
      if (compared !== undefined) report(compared)
    } catch (thrown) {
      report({ kind: 'failed', message: `the shadow: ${messageOf(thrown)}` })
    }
  })
}

/** One reader per feature spec; a new full update brings a new spec. */
function rowReaders(rules: RowRules): (spec: FeatureSpec) => RowReader {
  let known: { spec: FeatureSpec; reader: RowReader } | undefined
  return (spec) => {
    if (known?.spec !== spec) known = { spec, reader: new RowReader(spec, rules) }
    return known.reader
  }
}

function answerOf({ version, sha256, tasks, probabilities }: Scored, rows: number): object {
  const scores = Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(tasks.map((task, t) => [task, probabilities[t * rows + row]])),
  )
  return { version, sha256, scores }
}

function refuseWithoutModel(reply: FastifyReply): FastifyReply {
  reply.header('retry-after', '1')
  return refuse(reply, 503, 'no model version yet; the learner has not published, or not whole')
}

function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).send({ error })
}
