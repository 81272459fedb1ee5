/** @file Server-sent events: every open page gets each status as it is made, and a page that does not keep up is cut off. */

import type { ServerResponse } from 'node:http'

/** Pages that may be open at once; each further one is told to come back. */
const MAX_CLIENTS = 64
/** A client that has so much unread is gone or too slow, bytes. */
const MAX_UNREAD = 1_048_576

/** The open pages. */
export class StatusStream {
  readonly #clients = new Set<ServerResponse>()
  #last: string | undefined

  /** How many pages are open. */
  get clients(): number {
    return this.#clients.size
  }

  /** Answers with a stream; the last status goes out at once. */
  add(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    if (this.#clients.size >= MAX_CLIENTS) {
      response.writeHead(503, { ...headers, 'retry-after': '10' }).end('too many pages are open\n')
      return
    }
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' })
    response.write('retry: 1000\n\n')
    if (this.#last !== undefined) response.write(this.#last)
    this.#clients.add(response)
    response.once('close', () => this.#clients.delete(response))
    response.on('error', () => this.#clients.delete(response))
  }

  /** Sends one JSON value to every open page. */
  send(json: string): void {
    this.#last = `data: ${json}\n\n`
    for (const client of this.#clients) {
      if (client.writableLength > MAX_UNREAD) client.destroy()
      else client.write(this.#last)
    }
  }

  /** Ends every stream. */
  close(): void {
    for (const client of this.#clients) client.end()
    this.#clients.clear()
  }
}
