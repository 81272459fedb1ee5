/**
 * @file A partition that the owners of a shard append to, one after the other: what is there beyond the checkpoint is known by its
 * keys, so a new owner leaves it out. One that was replaced may still append: then a record is there twice, never not at all.
 */

import type { OutgoingRecord, TopicLog } from '../src/broker/topic-log.ts'
import type { TopicPartition } from '../src/ids.ts'
import type { SideBox } from './side-outputs.ts'

const READ_RECORDS = 500

/** Every record has a key of its own. */
export class KeyedOutbox implements SideBox {
  readonly #log: TopicLog
  readonly #topic: string
  /** Keys of records beyond the checkpoint that an earlier owner appended. */
  readonly #present: Set<string>
  #written: number

  private constructor(log: TopicLog, topic: string, written: number, present: Set<string>) {
    this.#log = log
    this.#topic = topic
    this.#written = written
    this.#present = present
  }

  /** `written`: the offset after the last record that the checkpoint covers. */
  static async open(log: TopicLog, at: TopicPartition, written: number): Promise<KeyedOutbox> {
    const bounds = (await log.bounds(at.topic)).find(({ partition }) => partition === at.partition)
    const present = new Set<string>()
    const latest = bounds?.latest ?? 0
    for (let offset = Math.max(bounds?.earliest ?? 0, written); offset < latest; ) {
      const [batch] = await log.read([{ ...at, offset }], READ_RECORDS)
      if (batch === undefined) break
      for (const { key } of batch.records) present.add(textOf(key))
      offset = batch.nextOffset
    }
    return new KeyedOutbox(log, at.topic, latest, present)
  }

  get written(): number {
    return this.#written
  }

  async append(records: readonly OutgoingRecord[]): Promise<void> {
    const absent = records.filter(({ key }) => !this.#present.delete(textOf(key)))
    if (absent.length === 0) return
    const positions = await this.#log.append(this.#topic, absent)
    this.#written = (positions.at(-1)?.offset ?? this.#written - 1) + 1
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}
