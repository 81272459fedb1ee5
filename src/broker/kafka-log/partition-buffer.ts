/**
 * @file What was fetched of one partition and not handed out yet. Makes batches a function of the log alone: a fetch is cut by
 * bytes, a batch by records.
 */

import type { LogRecord } from '../topic-log.ts'
import type { DecodedRecords } from './record-batch.ts'

/** A batch ends early when its keys and values reach this many bytes: bounds the memory of large records. */
const LARGEST_BATCH_BYTES = 16 << 20

/** Records in offset order, from the place of the last `seek` on. */
export class PartitionBuffer {
  #records: readonly LogRecord[] = []
  #from = 0
  #nextOffset = 0
  /** How far records can be seen, if that was asked since the last `seek`. */
  #end: number | undefined
  #knownEnd = 0

  /** The offset that a fetch goes on from. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** The next batch begins here. Keeps what is held from this offset on. */
  seek(offset: number): void {
    const first = this.#records[0]?.offset ?? this.#nextOffset
    if (offset < first || offset > this.#nextOffset) {
      this.#records = []
      this.#nextOffset = offset
    }
    this.#from = firstAtOrAfter(this.#records, offset)
    this.#end = undefined
  }

  /** Appends what a fetch from `nextOffset` gave; `end`: how far records can be seen now. */
  add(fetched: DecodedRecords, end: number): void {
    const kept = this.#records.slice(this.#from)
    this.#records = kept.length === 0 ? fetched.records : kept.concat(fetched.records)
    this.#from = 0
    this.#nextOffset = fetched.nextOffset
    this.#end = end
    this.#knownEnd = end
  }

  /** Whether there is a record to give. */
  get hasRecord(): boolean {
    return this.#from < this.#records.length
  }

  /** Whether the log had more when it was last asked, and less than `maxRecords` of it would be here after the next `take`. */
  runsLow(maxRecords: number): boolean {
    const left = this.#records.length - this.#from - this.#count(maxRecords)
    return left < maxRecords && this.#nextOffset < this.#knownEnd
  }

  /** Whether `take` would give all that the log has for it. */
  isComplete(maxRecords: number): boolean {
    const seenAll = this.#end !== undefined && this.#nextOffset >= this.#end
    return seenAll || this.#from + this.#count(maxRecords) < this.#records.length
  }

  /**
   * Up to `maxRecords` records. The offset to read next is that of the record after them, so that offsets without a record
   * (compacted, markers of transactions) are behind, not ahead.
   */
  take(maxRecords: number): DecodedRecords | undefined {
    const until = this.#from + this.#count(maxRecords)
    if (until === this.#from) return undefined
    const nextOffset = this.#records[until]?.offset ?? this.#nextOffset
    const records = this.#records.slice(this.#from, until)
    return { records, nextOffset }
  }

  /** Records in the next batch, as far as they are here. */
  #count(maxRecords: number): number {
    const until = Math.min(this.#records.length, this.#from + maxRecords)
    let bytes = 0
    for (let i = this.#from; i < until; i++) {
      const { key, value } = this.#records[i]!
      bytes += key.length + value.length
      if (bytes >= LARGEST_BATCH_BYTES) return i + 1 - this.#from
    }
    return until - this.#from
  }
}

function firstAtOrAfter(records: readonly LogRecord[], offset: number): number {
  let low = 0
  let high = records.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (records[middle]!.offset < offset) low = middle + 1
    else high = middle
  }
  return low
}
