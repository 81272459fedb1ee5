/** @file The end of an HTTP server: what is under way is answered, for a time. */

import type { FastifyInstance } from 'fastify'

/** Connections that never asked for anything are not idle to Node, and would hold the end up for as long as they like. */
export async function drain(server: FastifyInstance, drainMs: number): Promise<void> {
  const cut = setTimeout(() => server.server.closeAllConnections(), drainMs)
  try {
    await server.close()
  } finally {
    clearTimeout(cut)
  }
}
