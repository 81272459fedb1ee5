/** @file Reads partitions at any position: fetches from their leaders into one buffer per partition, and takes batches from there. */

import { setTimeout as sleep } from 'node:timers/promises'
import { partitionName, type TopicPartition } from '../../ids.ts'
import type { Position, RecordBatch } from '../topic-log.ts'
import { groupByLeader } from './batch-delivery.ts'
import type { FetchedPartition } from './fetch-response.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { PartitionBuffer } from './partition-buffer.ts'
import { decodeRecords } from './record-batch.ts'

/** Bytes of one partition in one fetch: what is held of it beyond what was asked for. */
const PARTITION_BYTES = 1 << 20

/** Turns an error code of the answer for one partition into an error. */
export type PartitionError = (code: number, at: Position) => Promise<Error>

/** The broker says that there are records and gives none: it is over its quota, or starting. Worth another try. */
class NothingGiven extends Error {
  readonly retriable = true

  constructor(positions: readonly Position[]) {
    super(`there are records in ${positions.map(partitionName).join(', ')}, and none is given`)
    this.name = 'NothingGiven'
  }
}

/** The buffers of the partitions that were read; memory is bounded by their number. One call at a time. */
export class KafkaReader {
  readonly #connection: KafkaConnection
  readonly #partitionError: PartitionError
  readonly #buffers = new Map<string, PartitionBuffer>()
  #ahead: Promise<void> = Promise.resolve()

  constructor(connection: KafkaConnection, partitionError: PartitionError) {
    this.#connection = connection
    this.#partitionError = partitionError
  }

  /** See `TopicLog.read`. Does not retry. */
  async read(positions: readonly Position[], maxRecords: number): Promise<readonly RecordBatch[]> {
    await this.#ahead
    for (const at of positions) this.#buffer(at).seek(at.offset)
    for (;;) {
      const short = positions.filter((at) => !this.#buffer(at).isComplete(maxRecords))
      if (short.length === 0) break
      const before = this.#reached(short)
      await this.#fetch(short, 0)
      const stuck = short.filter((at) => !this.#buffer(at).isComplete(maxRecords))
      if (stuck.length === short.length && this.#reached(short) === before) {
        throw new NothingGiven(stuck)
      }
    }
    const batches: RecordBatch[] = []
    for (const { topic, partition } of positions) {
      const taken = this.#buffer({ topic, partition }).take(maxRecords)
      if (taken !== undefined) batches.push({ topic, partition, ...taken })
    }
    this.#readAhead(positions, maxRecords)
    return batches
  }

  /** Whether one of the positions has a record, waiting up to `waitMs` for one. */
  async hasRecord(positions: readonly Position[], waitMs: number): Promise<boolean> {
    await this.#ahead
    for (const at of positions) this.#buffer(at).seek(at.offset)
    if (positions.some((at) => this.#buffer(at).hasRecord)) return true
    if (positions.length === 0) await sleep(waitMs)
    else await this.#fetch(positions, waitMs)
    return positions.some((at) => this.#buffer(at).hasRecord)
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#ahead
  }

  /** While the caller works on what it got, the next fetch is on its way. */
  #readAhead(positions: readonly Position[], maxRecords: number): void {
    const low = positions.filter((at) => this.#buffer(at).runsLow(maxRecords))
    if (low.length === 0) return
    // An error shows itself again in the fetch that somebody waits for.
    this.#ahead = this.#fetch(low, 0).catch(() => undefined)
  }

  /** One fetch from every leader of the positions, from where their buffers end. */
  async #fetch(positions: readonly Position[], waitMs: number): Promise<void> {
    const wanted = positions.map(({ topic, partition }) => {
      return { topic, partition, offset: this.#buffer({ topic, partition }).nextOffset }
    })
    const byLeader = await groupByLeader(this.#connection, wanted)
    await Promise.all(
      Array.from(byLeader, async ([leader, led]) => {
        const options = { positions: led, partitionBytes: PARTITION_BYTES, waitMs }
        const answers = await this.#connection.fetch(leader, options)
        for (const fetched of answers) await this.#keep(fetched)
      }),
    )
  }

  async #keep(fetched: FetchedPartition): Promise<void> {
    const { topic, partition, errorCode, bytes, aborted, end } = fetched
    const buffer = this.#buffer(fetched)
    const from = buffer.nextOffset
    if (errorCode !== 0)
      throw await this.#partitionError(errorCode, { topic, partition, offset: from })
    buffer.add(await decodeRecords(bytes, from, aborted), end)
  }

  /** Grows with every record and marker that a fetch brings. */
  #reached(positions: readonly Position[]): number {
    return positions.reduce((sum, at) => sum + this.#buffer(at).nextOffset, 0)
  }

  #buffer(at: TopicPartition): PartitionBuffer {
    const name = partitionName(at)
    const known = this.#buffers.get(name)
    if (known !== undefined) return known
    const buffer = new PartitionBuffer()
    this.#buffers.set(name, buffer)
    return buffer
  }
}
