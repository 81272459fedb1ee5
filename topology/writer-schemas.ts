/**
 * @file Makes the codecs of the event topics ready for a poll: the schemas that its records name by registry id, and nobody knows
 * here yet, are fetched before the poll is decoded, and before it is journalled.
 */

import type { RecordBatch } from '../src/broker/topic-log.ts'
import { MillraceError } from '../src/errors.ts'
import type { BusOptions } from '../src/settings/bus-options.ts'
import { type Environment, expandSettings, readSecret } from '../src/settings/environment.ts'
import type { AvroCodec } from '../src/wire/avro-codec.ts'
import type { SchemaRegistry } from '../src/wire/schema-registry.ts'
import type { EventInput } from './event-inputs.ts'
import type { Poll } from './event-source.ts'

/** Registry ids by topic, ascending. */
export type FetchedSchemas = Readonly<Record<string, readonly number[]>>

/** The writers' schemas of one reader of the event topics. A bus without a registry needs none. */
export class WriterSchemas {
  readonly #registry: SchemaRegistry | undefined
  readonly #codecs: ReadonlyMap<string, AvroCodec>
  readonly #fetched = new Map<string, Set<number>>()

  private constructor(registry: SchemaRegistry | undefined, inputs: readonly EventInput[]) {
    this.#registry = registry
    this.#codecs = new Map(inputs.map(({ topic, codec }) => [topic, codec]))
  }

  /**
   * `fetched`: what an earlier life had fetched by its checkpoint. BAD_SETTINGS when a secret of the registry cannot be read, REGISTRY
   * when it does not give one of those schemas.
   */
  static async open(
    bus: BusOptions,
    inputs: readonly EventInput[],
    fetched: FetchedSchemas = {},
    environment: Environment = process.env,
  ): Promise<WriterSchemas> {
    const schemas = new WriterSchemas(await openRegistry(bus, environment), inputs)
    for (const [topic, ids] of Object.entries(fetched)) {
      for (const id of ids) await schemas.#fetchAgain(topic, id)
    }
    return schemas
  }

  /** What was fetched so far, for the checkpoint. */
  get fetched(): FetchedSchemas {
    const topics = [...this.#fetched].sort(([a], [b]) => (a < b ? -1 : 1))
    return Object.fromEntries(topics.map(([topic, ids]) => [topic, [...ids].sort(ascending)]))
  }

  /**
   * Fetches every schema that the records of a poll name. Its epoch gets the ids that the registry does not have: their records are
   * dead letters of this epoch. REGISTRY when it stays away: then nothing has happened yet.
   */
  async prepare(poll: Poll): Promise<Poll> {
    const absent = new Set<number>()
    for (const { topic, id } of this.#unknown(poll.batches)) {
      if (!absent.has(id) && !(await this.#fetch(topic, id))) absent.add(id)
    }
    if (absent.size === 0) return poll
    return { ...poll, epoch: { ...poll.epoch, absentSchemas: [...absent].sort(ascending) } }
  }

  /** The same for an epoch that an earlier life ran: what the registry did not have then stays absent. */
  async prepareAgain({ epoch, batches }: Poll): Promise<void> {
    for (const { topic, id } of this.#unknown(batches)) {
      if (epoch.absentSchemas?.includes(id) !== true) await this.#fetchAgain(topic, id)
    }
  }

  /** Asks of a record only when it is its turn: the one before it may have made its schema known. */
  *#unknown(batches: readonly RecordBatch[]): Generator<{ topic: string; id: number }> {
    if (this.#registry === undefined) return
    for (const { topic, records } of batches) {
      const codec = this.#codecs.get(topic)
      for (const { value } of codec === undefined ? [] : records) {
        const id = codec?.unknownId(value)
        if (id !== undefined) yield { topic, id }
      }
    }
  }

  /** What records needed once cannot have become absent: without it they would be other records. */
  async #fetchAgain(topic: string, id: number): Promise<void> {
    if (await this.#fetch(topic, id)) return
    throw new MillraceError(
      'REGISTRY',
      `the schema registry no longer has schema id ${id}, with which records of ${topic} were read`,
      { remedy: 'Restore the schema in the registry: ids of records that are kept must stay.' },
    )
  }

  /** False when the registry has no such schema. */
  async #fetch(topic: string, id: number): Promise<boolean> {
    const codec = this.#codecs.get(topic)
    const found = await this.#registry?.find(id)
    if (codec === undefined || found === undefined || found.kind === 'absent') return false
    if (found.kind === 'schema') codec.learn(id, found.schema)
    else codec.refuse(id, `schema id ${id} cannot be used: ${found.reason}`)
    const ids = this.#fetched.get(topic)
    if (ids === undefined) this.#fetched.set(topic, new Set([id]))
    else ids.add(id)
    return true
  }
}

function ascending(a: number, b: number): number {
  return a - b
}

async function openRegistry(
  { registry }: BusOptions,
  environment: Environment,
): Promise<SchemaRegistry | undefined> {
  if (registry === undefined) return undefined
  // Loaded here: a job without a registry starts faster without it.
  const { SchemaRegistry } = await import('../src/wire/schema-registry.ts')
  const { url, username, password, token, timeout_ms, patience_ms } = expandSettings(
    registry,
    environment,
  )
  return new SchemaRegistry({
    url,
    timeoutMs: timeout_ms,
    patienceMs: patience_ms,
    ...(username === undefined || password === undefined
      ? {}
      : { login: { username, password: readSecret(password, environment) } }),
    ...(token === undefined ? {} : { token: readSecret(token, environment) }),
  })
}
