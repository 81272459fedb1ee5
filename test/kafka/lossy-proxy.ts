/** @file A network between client and broker that loses what it is told to, is slow, or is cut: acknowledgements that never arrive. */

import { connect, createServer, type Server, type Socket } from 'node:net'

/** Kafka's number of the Produce request. */
const PRODUCE = 0

export interface LossyProxy {
  readonly port: number
  /** Where the broker really listens. */
  target: number
  /** The next so many Produce requests reach the broker, and the connection breaks before the answer arrives. */
  loseAcknowledgements: number
  /** How many were lost. */
  readonly lost: number
  /** Nobody is let through: connections end as soon as they begin. Set with the next loss when `cutAfterLoss` is. */
  cut: boolean
  cutAfterLoss: boolean
  /** Ends every connection, and lets nobody through until `cut` is taken back. */
  cutNow(): void
  /** Every answer of the broker is held back for so long. */
  delayMs: number
  /** Pieces of answers that went by. */
  readonly answers: number
  close(): void
}

/** Listens on a free port of the loopback interface. */
export async function openLossyProxy(): Promise<LossyProxy> {
  const state: State = {
    target: 0,
    loseAcknowledgements: 0,
    lost: 0,
    cut: false,
    cutAfterLoss: false,
    delayMs: 0,
    answers: 0,
  }
  const clients = new Set<Socket>()
  const server = createServer((client) => {
    clients.add(client)
    client.on('close', () => clients.delete(client))
    relay(client, state)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = addressOf(server)
  const cutNow = (): void => {
    state.cut = true
    for (const client of clients) client.destroy()
  }
  return Object.assign(state, { port, cutNow, close: () => server.close() })
}

type State = {
  -readonly [Name in keyof Omit<LossyProxy, 'port' | 'close' | 'cutNow'>]: LossyProxy[Name]
}

function relay(client: Socket, state: State): void {
  if (state.cut) {
    client.destroy()
    return
  }
  const broker = connect(state.target, '127.0.0.1', () => client.resume())
  client.pause()
  let losing = false
  client.on('data', (bytes) => {
    // A client of ours writes one request at a time: length, then the number of the request.
    const starts = bytes.length >= 6 && bytes.readInt32BE(0) < 64 << 20
    if (starts && bytes.readInt16BE(4) === PRODUCE && state.loseAcknowledgements > 0) {
      state.loseAcknowledgements -= 1
      losing = true
    }
    broker.write(bytes)
  })
  broker.on('data', (bytes) => {
    if (losing) {
      state.lost += 1
      state.cut = state.cutAfterLoss
      client.destroy()
      broker.destroy()
    } else {
      state.answers += 1
      if (state.delayMs === 0) client.write(bytes)
      else setTimeout(() => client.write(bytes), state.delayMs)
    }
  })
  for (const [from, to] of [
    [client, broker],
    [broker, client],
  ] as const) {
    from.on('close', () => to.destroy())
    from.on('error', () => to.destroy())
  }
}

function addressOf(server: Server): { readonly port: number } {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address
}
