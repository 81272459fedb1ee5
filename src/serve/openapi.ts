/** @file The OpenAPI document of a scorer (OpenAPI 3.1), made of the rules that requests are checked by: of the version in use. */

import { AVRO_TYPE } from './http-avro.ts'
import type { JsonSchema, RowReader } from './http-rows.ts'

/** What the document says besides the rules. */
export interface ApiFacts {
  /** Of the program. */
  readonly version: string
  /** Names of the tasks; empty while no version is in use. */
  readonly tasks: readonly string[]
  /** Undefined while no version is in use: any field is allowed. */
  readonly reader: RowReader | undefined
  readonly maxRows: number
  readonly withToken: boolean
}

const PROBABILITY: JsonSchema = { type: 'number', minimum: 0, maximum: 1 }
const BINARY = { [AVRO_TYPE]: { schema: { type: 'string', format: 'binary' } } }
const REFUSAL: JsonSchema = {
  type: 'object',
  required: ['error'],
  properties: { error: { type: 'string', description: 'A sentence.' } },
}

/** Plain JSON. */
export function openApi(facts: ApiFacts): object {
  return {
    openapi: '3.1.0',
    info: { title: 'Millrace scorer', version: facts.version },
    paths: {
      '/score': { post: scoreOperation(facts) },
      '/openapi.json': { get: textOperation('This document.', 'application/json') },
      '/healthz': { get: textOperation('The process is alive.', 'text/plain') },
      '/readyz': {
        get: {
          ...textOperation('A version is in use.', 'text/plain'),
          responses: { 200: text('text/plain'), 503: text('text/plain') },
        },
      },
      '/metrics': { get: textOperation('Metrics for Prometheus.', 'text/plain') },
    },
    ...(facts.withToken
      ? { components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } } }
      : {}),
  }
}

function scoreOperation({ tasks, reader, maxRows, withToken }: ApiFacts): object {
  const rows = {
    type: 'array',
    maxItems: maxRows,
    items: reader?.schema ?? { type: 'object' },
  }
  return {
    summary: 'The probability of every task for every row.',
    ...(withToken ? { security: [{ token: [] }] } : {}),
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: { type: 'object', required: ['rows'], properties: { rows } },
        },
        ...BINARY,
      },
    },
    responses: {
      200: {
        description: 'Scored; one entry per row, in order.',
        content: { 'application/json': { schema: answerSchema(tasks) }, ...BINARY },
      },
      ...Object.fromEntries(
        Object.entries(REFUSED).map(([status, description]) => [
          status,
          { description, content: { 'application/json': { schema: REFUSAL } } },
        ]),
      ),
    },
  }
}

const REFUSED: Readonly<Record<string, string>> = {
  400: 'The body is none, or a row or field is wrong.',
  401: 'A token is asked for and was not sent.',
  408: 'The request did not arrive in time.',
  413: 'Too many rows or bytes.',
  415: 'Another content type.',
  500: 'A fault of the program.',
  503: 'No whole version yet; try again.',
}

function answerSchema(tasks: readonly string[]): JsonSchema {
  const scores = {
    type: 'object',
    required: tasks,
    properties: Object.fromEntries(tasks.map((task) => [task, PROBABILITY])),
  }
  return {
    type: 'object',
    required: ['version', 'sha256', 'scores'],
    properties: {
      version: { type: 'integer', minimum: 1 },
      sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
      scores: { type: 'array', items: scores },
    },
  }
}

function textOperation(summary: string, type: string): object {
  return { summary, responses: { 200: text(type) } }
}

function text(type: string): object {
  return { description: 'As it says.', content: { [type]: {} } }
}
