/**
 * @file Schemas by their id from a schema registry (the HTTP interface of Confluent's), for records in the Confluent framing. What
 * the registry says of an id is final; what it does not say, because it is away, is an error and never a verdict on a record.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { SchemaRegistry as RegistryClient } from '@kafkajs/confluent-schema-registry'
import avsc, { type Type } from 'avsc'
import { MillraceError, messageOf } from '../errors.ts'
import { type AvroSchema, parseSchema } from './avro-schema.ts'

/** A value that does not show itself; `settings/` has one. */
interface Hidden {
  reveal(): string
}

/** Where the registry is and how it is spoken to. */
export interface SchemaRegistryOptions {
  /** http(s)://host:port, with a path where the registry has one. */
  readonly url: string
  /** HTTP basic authentication. */
  readonly login?: { readonly username: string; readonly password: Hidden }
  /** HTTP bearer authentication. */
  readonly token?: Hidden
  /** Longest wait for one answer. */
  readonly timeoutMs: number
  /** How long a registry that is away is asked again. */
  readonly patienceMs: number
}

/** What the registry has under an id. Ids are never given twice, so only `absent` may change. */
export type FoundSchema =
  | { readonly kind: 'schema'; readonly schema: AvroSchema }
  /** There is something, but no Avro record. */
  | { readonly kind: 'unusable'; readonly reason: string }
  | { readonly kind: 'absent' }

/** Pause between two tries. */
const PAUSE_MS = 200

/** How registries word that they have no such schema (Confluent, Redpanda, Karapace; Apicurio). Any other 404 is a wrong address. */
const ABSENT = /schema .*not found|schema not found|no (content|artifact) with/i

/** An answer that no registry gives: that of a proxy or a login page. */
class ForeignAnswer extends Error {}

/** A client that remembers every schema it has seen. */
export class SchemaRegistry {
  readonly #options: SchemaRegistryOptions
  readonly #client: RegistryClient
  readonly #found = new Map<number, FoundSchema>()

  constructor(options: SchemaRegistryOptions) {
    this.#options = options
    const { url, login, token, timeoutMs } = options
    this.#client = new RegistryClient({
      host: url.replace(/\/+$/, ''),
      clientId: 'millrace',
      // The client's own tries know no end in time.
      retry: { retries: 0 },
      ...(login === undefined
        ? {}
        : { auth: { username: login.username, password: login.password.reveal() } }),
      middlewares: [
        () => ({
          prepareRequest: async (next) => {
            const authorization =
              token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }
            return (await next()).enhance({ timeout: timeoutMs, headers: authorization })
          },
          response: async (next) => {
            const response = await next()
            if (typeof response.data() === 'object') return response
            throw new ForeignAnswer(`it answers ${response.status()} without JSON`)
          },
        }),
      ],
    })
  }

  /** What is registered under the id. Throws REGISTRY when the registry stays away or refuses. */
  async find(id: number): Promise<FoundSchema> {
    const known = this.#found.get(id)
    if (known !== undefined) return known
    const found = await this.#patiently(id)
    if (found.kind !== 'absent') this.#found.set(id, found)
    return found
  }

  async #ask(id: number): Promise<FoundSchema> {
    let type: unknown
    try {
      type = await this.#client.getSchema(id)
    } catch (thrown) {
      if (statusOf(thrown) === 404 && ABSENT.test(messageOf(thrown))) return { kind: 'absent' }
      if (statusOf(thrown) !== undefined || thrown instanceof ForeignAnswer) throw thrown
      return { kind: 'unusable', reason: messageOf(thrown) }
    }
    if (!avsc.Type.isType(type)) return { kind: 'unusable', reason: 'it is no Avro schema' }
    try {
      // Compiled anew: the client's types are not bounded, and read longs as rounded numbers.
      const json = (type as Type).schema({ exportAttrs: true })
      return { kind: 'schema', schema: parseSchema(json, `schema id ${id}`) }
    } catch (thrown) {
      return { kind: 'unusable', reason: messageOf(thrown) }
    }
  }

  async #patiently(id: number): Promise<FoundSchema> {
    let ended: AbortSignal | undefined
    for (;;) {
      try {
        return await this.#ask(id)
      } catch (thrown) {
        ended ??= AbortSignal.timeout(this.#options.patienceMs)
        if (ended.aborted || isRefusal(thrown)) throw this.#error(id, thrown)
        await sleep(PAUSE_MS, undefined, { signal: ended }).catch(() => undefined)
      }
    }
  }

  #error(id: number, thrown: unknown): MillraceError {
    const { url } = this.#options
    const reason = messageOf(thrown).replace(/^millrace - (Error, status 400: )?/, '')
    if (isRefusal(thrown)) {
      return new MillraceError(
        'REGISTRY',
        `the schema registry ${url} refuses to give schema id ${id}: ${reason}`,
        { remedy: 'Check bus.registry.username with its password, or bus.registry.token.' },
      )
    }
    return new MillraceError(
      'REGISTRY',
      `the schema registry ${url} does not answer about schema id ${id}: ${reason}`,
      {
        remedy:
          'Bring the registry back, or put bus.registry.url right, and start again: no record was set aside for it.',
      },
    )
  }
}

/** The registry is there and does not let us in: asking again does not help. */
function isRefusal(thrown: unknown): boolean {
  return statusOf(thrown) === 401 || statusOf(thrown) === 403
}

/** The HTTP status that the client reports; 400 also when there was no answer at all. */
function statusOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('status' in thrown)) return undefined
  return typeof thrown.status === 'number' ? thrown.status : undefined
}
