/** @file A small schema registry over HTTP, with the answers and the moods of a real one. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export interface FakeRegistry {
  readonly url: string
  /** What is registered, by id: the body of the answer. */
  readonly schemas: Map<number, object>
  /** How it answers: as it should, with this status, with a page that is no JSON, or never. */
  mood: 'well' | number | 'page' | 'silent'
  /** The value of Authorization that it wants. */
  authorization: string | undefined
  /** Ids that were asked for, in order. */
  readonly asked: number[]
  close(): Promise<void>
}

/** Listens on a free port of the loopback interface. */
export async function openFakeRegistry(port = 0): Promise<FakeRegistry> {
  const state: Omit<FakeRegistry, 'url' | 'close'> = {
    schemas: new Map(),
    mood: 'well',
    authorization: undefined,
    asked: [],
  }
  const server = createServer((request, response) => answer(state, request, response))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return Object.assign(state, {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}

/** The answer of a registry for an Avro schema. */
export function avro(schema: object, references: readonly object[] = []): object {
  const body = { schema: JSON.stringify(schema) }
  return references.length === 0 ? body : { ...body, references }
}

function answer(
  state: Omit<FakeRegistry, 'url' | 'close'>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const say = (status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' })
    response.end(JSON.stringify(body))
  }
  const id = Number(/^\/schemas\/ids\/(\d+)/.exec(request.url ?? '')?.[1])
  if (!Number.isNaN(id)) state.asked.push(id)
  const { mood } = state
  if (mood === 'silent') return
  if (mood === 'page') {
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end('<html>Sign in to the network</html>')
    return
  }
  if (mood !== 'well') {
    say(mood, { error_code: mood * 100 + 1, message: 'not today' })
    return
  }
  const { authorization } = state
  if (authorization !== undefined && request.headers.authorization !== authorization) {
    say(401, { error_code: 40101, message: 'Unauthorized' })
    return
  }
  const version = /^\/subjects\/([^/]+)\/versions\/(\d+)(\?|$)/.exec(request.url ?? '')
  const body = version === null ? state.schemas.get(id) : state.schemas.get(Number(version[2]))
  if (body === undefined) say(404, { error_code: 40403, message: `Schema ${id} not found` })
  else say(200, body)
}
