/** @file Appends to the last segment of one partition, begins new segments, repairs a torn end when it opens. */

import { closeSync, fsync, fsyncSync, ftruncateSync, openSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LogRecord, TopicDefinition } from '../topic-log.ts'
import { compactSegments } from './compaction.ts'
import { syncDirectory, writeAll } from './disk.ts'
import { FrameBuffer, sizeOf } from './frame.ts'
import { dropOldSegments } from './retention.ts'
import { listSegments, segmentPath } from './segment-files.ts'
import { SegmentReader } from './segment-reader.ts'

/** A frame is verified and taken apart as a whole: small enough to be quick, big enough to be rare. */
const FRAME_BYTES = 1 << 18
/** Bytes gathered before they are written. */
const WRITE_BYTES = 1 << 20

const syncFile = promisify(fsync)

/** What was cut off a segment because it had not been written whole when its writer died. */
export interface TornTail {
  readonly path: string
  readonly keptBytes: number
  readonly droppedBytes: number
}

/** How a partition is written. */
export interface PartitionWriterOptions {
  /** A segment that has reached this size is followed by a new one. */
  readonly segmentBytes: number
  /** Whether finished segments and new names are brought to the disk. */
  readonly durable: boolean
}

/** The only writer of its partition; the topic's lock sees to that. */
export class PartitionWriter {
  readonly #directory: string
  readonly #definition: TopicDefinition
  readonly #options: PartitionWriterOptions
  readonly #frames = new FrameBuffer()
  #fd: number
  #size: number
  #nextOffset: number
  #unsyncedBytes = 0
  /** What opening had to cut off, for whoever reports it. */
  readonly tornTail: TornTail | undefined

  /** Throws CORRUPT when the last segment is damaged before its end: nothing is cut off then. */
  constructor(directory: string, definition: TopicDefinition, options: PartitionWriterOptions) {
    this.#directory = directory
    this.#definition = definition
    this.#options = options
    removeDrafts(directory)
    const base = listSegments(directory).at(-1) ?? 0
    this.#fd = openForWriting(segmentPath(directory, base))
    const { nextOffset, end, size } = verify(directory, base)
    this.#nextOffset = nextOffset
    this.#size = end
    if (size > end) {
      ftruncateSync(this.#fd, end)
      const path = segmentPath(directory, base)
      this.tornTail = { path, keptBytes: end, droppedBytes: size - end }
    }
    this.#tidy()
  }

  /** The offset of the next record. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Bytes written since the last `sync()`. */
  get unsyncedBytes(): number {
    return this.#unsyncedBytes
  }

  /** Writes the records, whose offsets go on from `nextOffset`. When it throws, what it had not written leaves no trace. */
  append(records: readonly LogRecord[]): void {
    let from = 0
    let payloadBytes = 0
    let gathered = 0
    for (let i = 0; i < records.length; i++) {
      payloadBytes += sizeOf(records[i]!)
      if (payloadBytes < FRAME_BYTES && i < records.length - 1) continue
      this.#frames.add(records, from, i + 1)
      from = i + 1
      gathered += payloadBytes
      payloadBytes = 0
      if (gathered < WRITE_BYTES && from < records.length) continue
      this.#write(records[i]!.offset + 1)
      gathered = 0
    }
  }

  /** Resolves when everything appended is on the disk. */
  async sync(): Promise<void> {
    if (this.#unsyncedBytes === 0) return
    this.#unsyncedBytes = 0
    await syncFile(this.#fd)
  }

  /** Rewrites closed segments with the newest record per key. */
  compact(): void {
    compactSegments(this.#directory, listSegments(this.#directory))
  }

  /** Deletes closed segments whose records are all before `offset`. */
  trim(offset: number): void {
    const bases = listSegments(this.#directory)
    for (const [place, base] of bases.slice(0, -1).entries()) {
      if ((bases[place + 1] ?? 0) > offset) return
      rmSync(segmentPath(this.#directory, base), { force: true })
    }
  }

  close(): void {
    closeSync(this.#fd)
  }

  #write(nextOffset: number): void {
    const bytes = this.#frames.take()
    if (this.#size >= this.#options.segmentBytes) this.#roll()
    try {
      writeAll(this.#fd, bytes, this.#size)
    } catch (error) {
      // A full disk takes a part: what was written of it must not be in the way of the next append.
      ftruncateSync(this.#fd, this.#size)
      throw error
    }
    this.#size += bytes.length
    this.#unsyncedBytes += bytes.length
    this.#nextOffset = nextOffset
  }

  #roll(): void {
    if (this.#options.durable) fsyncSync(this.#fd)
    const fd = openSync(segmentPath(this.#directory, this.#nextOffset), 'wx')
    closeSync(this.#fd)
    this.#fd = fd
    this.#size = 0
    this.#unsyncedBytes = 0
    if (this.#options.durable) syncDirectory(this.#directory)
    this.#tidy()
  }

  #tidy(): void {
    const bases = listSegments(this.#directory)
    if (this.#definition.cleanup === 'compact') compactSegments(this.#directory, bases)
    else dropOldSegments(this.#directory, bases, this.#definition)
  }
}

/** Reads the whole segment with its checksums: what its writer left when it died. */
function verify(
  directory: string,
  base: number,
): { nextOffset: number; end: number; size: number } {
  const segment = new SegmentReader(directory, base)
  try {
    const end = segment.verify()
    return { nextOffset: segment.walk(), end, size: segment.size() }
  } finally {
    segment.close()
  }
}

/** Not in append mode: what a failed write left is written over. */
function openForWriting(path: string): number {
  closeSync(openSync(path, 'a'))
  return openSync(path, 'r+')
}

/** Files that a compaction had not finished when its process died. */
function removeDrafts(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (name.endsWith('.draft')) rmSync(join(directory, name), { force: true })
  }
}
