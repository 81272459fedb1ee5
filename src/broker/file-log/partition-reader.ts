/** @file Reads one partition across its segments, in order, while another process may append, roll and delete. */

import type { TopicPartition } from '../../ids.ts'
import type { LogRecord, PartitionBounds, RecordBatch } from '../topic-log.ts'
import { outOfRange } from '../topic-rules.ts'
import { isMissing } from './disk.ts'
import { listSegments } from './segment-files.ts'
import { SegmentReader } from './segment-reader.ts'

/** Where the last read ended; a read that goes on from there finds its segment, its piece and its frame ready. */
interface Cursor {
  offset: number
  segment: SegmentReader
  /** Of the frame after `frame`. */
  position: number
  /** The frame that the last read ended in, and how many of its records were taken. */
  frame: readonly LogRecord[]
  taken: number
}

/** Holds at most two open files: the segment being read and the last one. */
export class PartitionReader {
  readonly #directory: string
  readonly #at: TopicPartition
  #cursor: Cursor | undefined
  #last: SegmentReader | undefined

  constructor(directory: string, { topic, partition }: TopicPartition) {
    this.#directory = directory
    this.#at = { topic, partition }
  }

  /** First offset kept and the next to be written. */
  bounds(): PartitionBounds {
    const earliest = listSegments(this.#directory)[0] ?? 0
    return { ...this.#at, earliest, latest: this.#latest() }
  }

  /** Whether there is a record at or after `offset`. Throws BROKER when the offset is out of range. */
  hasRecord(offset: number): boolean {
    const latest = this.#latest()
    if (offset > latest) throw outOfRange(this.#at, offset, this.bounds())
    return offset < latest
  }

  /** Up to `maxRecords` records from `offset` on; undefined at the end. Throws BROKER when the offset is out of range. */
  read(offset: number, maxRecords: number): RecordBatch | undefined {
    try {
      const cursor = this.#cursor?.offset === offset ? this.#cursor : this.#seek(offset)
      const records = cursor === undefined ? [] : this.#take(cursor, maxRecords)
      const last = records.at(-1)
      if (cursor === undefined || last === undefined) return undefined
      cursor.offset = last.offset + 1
      return { ...this.#at, records, nextOffset: cursor.offset }
    } catch (error) {
      // The cursor may have gone past records that nobody got.
      this.#dropCursor()
      throw error
    }
  }

  close(): void {
    this.#dropCursor()
    this.#last?.close()
    this.#last = undefined
  }

  #take(cursor: Cursor, maxRecords: number): LogRecord[] {
    const records: LogRecord[] = []
    while (records.length < maxRecords) {
      if (cursor.taken === cursor.frame.length && !this.#nextFrame(cursor)) break
      const until = Math.min(cursor.frame.length, cursor.taken + maxRecords - records.length)
      for (let i = cursor.taken; i < until; i++) {
        const record = cursor.frame[i]!
        // The first frame after a seek can begin before the offset.
        if (record.offset >= cursor.offset) records.push(record)
      }
      cursor.taken = until
    }
    return records
  }

  #dropCursor(): void {
    this.#cursor?.segment.close()
    this.#cursor = undefined
  }

  /** Moves the cursor to the next complete frame, in this segment or a later one; false when there is none yet. */
  #nextFrame(cursor: Cursor): boolean {
    if (takeFrame(cursor)) return true
    for (let next = this.#segmentAfter(cursor); next !== undefined; ) {
      // Once there is a later segment this one is complete, but it may have grown since it was looked at.
      if (takeFrame(cursor)) {
        next.close()
        return true
      }
      cursor.segment.checkEnd(cursor.position)
      cursor.segment.close()
      cursor.segment = next
      cursor.position = 0
      if (takeFrame(cursor)) return true
      next = this.#segmentAfter(cursor)
    }
    return false
  }

  #seek(offset: number): Cursor | undefined {
    this.#dropCursor()
    const segment = this.#open((bases) => bases.findLast((base) => base <= offset))
    if (segment === undefined) {
      // No segment begins at or before the offset: nothing was written yet, or retention was here.
      const bounds = this.bounds()
      if (offset === bounds.latest) return undefined
      throw outOfRange(this.#at, offset, bounds)
    }
    const position = segment.locate(offset)
    this.#cursor = { offset, segment, position, frame: [], taken: 0 }
    if (segment.walk() < offset && offset > this.#latest()) {
      throw outOfRange(this.#at, offset, this.bounds())
    }
    return this.#cursor
  }

  #segmentAfter({ segment }: Cursor): SegmentReader | undefined {
    return this.#open((bases) => bases.find((base) => base > segment.baseOffset))
  }

  #latest(): number {
    const bases = listSegments(this.#directory)
    if (this.#last === undefined || this.#last.baseOffset !== bases.at(-1)) {
      const last = this.#open((found) => found.at(-1))
      this.#last?.close()
      this.#last = last
    }
    return this.#last?.walk() ?? 0
  }

  /** Opens the chosen segment; lists again when retention removed it between the listing and the opening. */
  #open(choose: (bases: readonly number[]) => number | undefined): SegmentReader | undefined {
    for (;;) {
      const base = choose(listSegments(this.#directory))
      if (base === undefined) return undefined
      try {
        return new SegmentReader(this.#directory, base)
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    }
  }
}

function takeFrame(cursor: Cursor): boolean {
  const frame = cursor.segment.frameAt(cursor.position)
  if (frame === undefined) return false
  cursor.frame = frame.records
  cursor.taken = 0
  cursor.position = frame.end
  return true
}
