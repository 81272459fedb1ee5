/** @file The writers of one topic in this process: one for the whole of it, or one for each partition that it may write to. */

import type { OutgoingRecord, Position, TopicDefinition } from '../topic-log.ts'
import { assignPartitions } from '../topic-rules.ts'
import type { TornTail } from './partition-writer.ts'
import { TopicWriter, type WriteOptions } from './topic-writer.ts'

/** The key of the writer of a whole topic. */
const WHOLE = -1

/** Takes a lock when it is first needed: throws BROKER when another process has it. */
export class TopicWriters {
  readonly #root: string
  readonly #definition: TopicDefinition
  readonly #options: WriteOptions
  readonly #writers = new Map<number, TopicWriter>()

  constructor(root: string, definition: TopicDefinition, options: WriteOptions) {
    this.#root = root
    this.#definition = definition
    this.#options = options
  }

  /** In the order of the calls, partition by partition. */
  async append(records: readonly OutgoingRecord[]): Promise<readonly Position[]> {
    if (this.#definition.writers !== 'each-partition') return this.#writer(WHOLE).append(records)
    const { topic, partitions } = this.#definition
    const { maxRecordBytes } = this.#options
    const assigned = assignPartitions(topic, records, { partitions, maxRecordBytes })
    const positions = new Array<Position>(records.length)
    for (const partition of new Set(assigned)) {
      const places = [...records.keys()].filter((place) => assigned[place] === partition)
      const own = places
        .flatMap((place) => records[place] ?? [])
        .map((one) => ({ ...one, partition }))
      const appended = await this.#writer(partition).append(own)
      for (const [i, position] of appended.entries()) positions[places[i] ?? 0] = position
    }
    return positions
  }

  async compact(): Promise<void> {
    if (this.#definition.writers !== 'each-partition') this.#writer(WHOLE)
    for (const writer of this.#writers.values()) await writer.compact()
  }

  async trim(partition: number, offset: number): Promise<void> {
    const place = this.#definition.writers === 'each-partition' ? partition : WHOLE
    await this.#writer(place).trim(partition, offset)
  }

  /** Lets another process write to the partition. */
  async release(partition: number): Promise<void> {
    const writer = this.#writers.get(partition)
    this.#writers.delete(partition)
    await writer?.close()
  }

  tornTails(): readonly TornTail[] {
    return [...this.#writers.values()].flatMap((writer) => writer.tornTails())
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#writers.values(), (writer) => writer.close()))
  }

  #writer(place: number): TopicWriter {
    const known = this.#writers.get(place)
    if (known !== undefined) return known
    const only = place === WHOLE ? undefined : place
    const writer = new TopicWriter(this.#root, this.#definition, this.#options, only)
    this.#writers.set(place, writer)
    return writer
  }
}
