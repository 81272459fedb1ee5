/**
 * @file A topic that only this job appends to, written exactly once over crashes: the checkpoint knows how many records were
 * written by then, the topic knows how many there are, and a replay leaves out the difference, which is the same records again.
 */

import type { OutgoingRecord, TopicLog } from '../src/broker/topic-log.ts'

/** Single-partition output of dead letters, late events, orphans or samples. */
export class Outbox {
  readonly #log: TopicLog
  readonly #topic: string
  #written: number
  #alreadyThere: number

  private constructor(log: TopicLog, topic: string, written: number, alreadyThere: number) {
    this.#log = log
    this.#topic = topic
    this.#written = written
    this.#alreadyThere = alreadyThere
  }

  /** `written`: how many records of this topic the checkpoint covers; 0 at the start. */
  static async open(log: TopicLog, topic: string, written: number): Promise<Outbox> {
    await log.createTopic({ topic, partitions: 1, cleanup: 'delete' })
    const [bounds] = await log.bounds(topic)
    return new Outbox(log, topic, written, Math.max(0, (bounds?.latest ?? 0) - written))
  }

  /** Records written so far, for the checkpoint. */
  get written(): number {
    return this.#written
  }

  /** Appends the records, except those that an earlier life already has. */
  async append(records: readonly OutgoingRecord[]): Promise<void> {
    const skipped = Math.min(this.#alreadyThere, records.length)
    this.#alreadyThere -= skipped
    this.#written += records.length
    if (skipped < records.length) await this.#log.append(this.#topic, records.slice(skipped))
  }
}
