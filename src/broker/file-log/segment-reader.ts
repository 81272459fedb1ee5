/** @file One open segment: finds the frame of an offset and reads frames; used by readers, by repair and by compaction. */

import { closeSync, fstatSync, openSync } from 'node:fs'
import { MillraceError } from '../../errors.ts'
import type { LogRecord } from '../topic-log.ts'
import { FileWindow } from './file-window.ts'
import type { FrameHeader } from './frame.ts'
import {
  frameBytes,
  HEADER_BYTES,
  isIntact,
  isZero,
  readHeader,
  readRecords,
  readTrailer,
  TRAILER_BYTES,
} from './frame.ts'
import { segmentPath } from './segment-files.ts'

/** Read in pieces of this size, so that a system call is paid once for some thousand records. */
const READ_BYTES = 1 << 20
/** Headers are far apart in big frames and close together in small ones; this serves both. */
const WALK_BYTES = 1 << 14
/** One index entry for so many bytes: 1,000 entries for a segment of 64 MB. */
const INDEX_BYTES = 1 << 16

/** A frame that was read whole, and the position of the one after it. */
export interface Frame {
  readonly records: readonly LogRecord[]
  readonly end: number
}

interface IndexEntry {
  readonly offset: number
  readonly position: number
}

/** Reads one segment file while, perhaps, its writer appends to it. An incomplete frame at its end is not there yet. */
export class SegmentReader {
  readonly baseOffset: number
  readonly path: string
  readonly #fd: number
  readonly #walkWindow: FileWindow
  readonly #readWindow: FileWindow
  readonly #index: IndexEntry[] = []
  #walkedTo = 0
  #nextOffset: number
  #maxTimestampMs = Number.NEGATIVE_INFINITY

  /** Throws what `openSync` throws: ENOENT when retention was faster. */
  constructor(directory: string, baseOffset: number) {
    this.baseOffset = baseOffset
    this.path = segmentPath(directory, baseOffset)
    this.#fd = openSync(this.path, 'r')
    this.#walkWindow = new FileWindow(this.#fd, WALK_BYTES)
    this.#readWindow = new FileWindow(this.#fd, READ_BYTES)
    this.#nextOffset = baseOffset
  }

  /** Bytes in the file now, incomplete frames included. */
  size(): number {
    return fstatSync(this.#fd).size
  }

  /** The newest timestamp of the frames walked so far. */
  get maxTimestampMs(): number {
    return this.#maxTimestampMs
  }

  /** Looks at the headers that were not there last time; returns the offset after the last complete frame. */
  walk(): number {
    for (let header = this.#headerAt(this.#walkWindow, this.#walkedTo); header !== undefined; ) {
      this.#note(header)
      header = this.#headerAt(this.#walkWindow, this.#walkedTo)
    }
    return this.#nextOffset
  }

  /** The position of the frame with `offset`, or of the first frame after it, or of the end. */
  locate(offset: number): number {
    this.walk()
    let low = 0
    let high = this.#index.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#index[middle]?.offset ?? Number.POSITIVE_INFINITY) <= offset) low = middle + 1
      else high = middle
    }
    let position = this.#index[low - 1]?.position ?? 0
    while (position < this.#walkedTo) {
      const header = this.#headerAt(this.#walkWindow, position)
      if (header === undefined || header.nextOffset > offset) break
      position += frameBytes(header)
    }
    return position
  }

  /** The frame at `position`, its checksum verified; undefined when there is no complete one (yet). Throws CORRUPT. */
  frameAt(position: number): Frame | undefined {
    const header = this.#intactAt(position)
    if (header === undefined) return undefined
    const window = this.#readWindow
    const records = readRecords(window.bytes, window.at(position) + HEADER_BYTES, header)
    return { records, end: position + frameBytes(header) }
  }

  /** The position after the last complete frame, every checksum on the way verified. Throws CORRUPT. */
  verify(): number {
    let end = 0
    for (let header = this.#intactAt(end); header !== undefined; header = this.#intactAt(end)) {
      end += frameBytes(header)
    }
    return end
  }

  /** Throws CORRUPT when there is anything after `position`: only the last segment of a partition may end torn. */
  checkEnd(position: number): void {
    if (this.size() > position) throw this.#corrupt(position, 'a frame inside the log')
  }

  close(): void {
    closeSync(this.#fd)
  }

  #note(header: FrameHeader): void {
    const last = this.#index.at(-1)
    if (last === undefined || this.#walkedTo - last.position >= INDEX_BYTES) {
      this.#index.push({ offset: header.baseOffset, position: this.#walkedTo })
    }
    this.#walkedTo += frameBytes(header)
    this.#nextOffset = header.nextOffset
    this.#maxTimestampMs = Math.max(this.#maxTimestampMs, header.maxTimestampMs)
  }

  /** The header of a frame that is whole, checksum included, and in the read window. */
  #intactAt(position: number): FrameHeader | undefined {
    const window = this.#readWindow
    const header = this.#headerAt(window, position)
    if (header === undefined || !window.has(position, frameBytes(header))) return undefined
    if (isIntact(window.bytes, window.at(position) + HEADER_BYTES, header)) return header
    throw this.#corrupt(position, 'the payload of a frame')
  }

  #headerAt(window: FileWindow, position: number): FrameHeader | undefined {
    const seen = wholeFrameIn(window, position)
    if (seen !== undefined) return seen
    // The piece may show a torn frame that a writer has repaired and written over since.
    if (!window.reload(position, HEADER_BYTES)) return undefined
    const header = readHeader(window.bytes, window.at(position))
    if (header === 'invalid') throw this.#corrupt(position, 'the header of a frame')
    if (header === 'unwritten') return this.#unwritten(position)
    const trailerAt = position + HEADER_BYTES + header.payloadBytes
    if (!window.has(trailerAt, TRAILER_BYTES)) return undefined
    const trailer = readTrailer(window.bytes, window.at(trailerAt))
    if (trailer === 'invalid') throw this.#corrupt(trailerAt, 'the end mark of a frame')
    return trailer === 'unwritten' ? this.#unwritten(trailerAt) : header
  }

  /** After a power cut a file can end in zeros, which is a torn end; zeros before anything else are lost records. */
  #unwritten(position: number): undefined {
    const count = this.size() - position
    const rest = new FileWindow(this.#fd, count)
    if (rest.has(position, count) && !isZero(rest.bytes)) {
      throw this.#corrupt(position, 'a frame before the end of the file')
    }
    return undefined
  }

  #corrupt(position: number, what: string): MillraceError {
    return new MillraceError('CORRUPT', `${this.path} at byte ${position}: ${what} is damaged`, {
      remedy: 'Restore the file from a copy; the frames before this byte are whole.',
    })
  }
}

/** The header at `position` if the window's piece shows its frame from the first byte to the end mark. */
function wholeFrameIn(window: FileWindow, position: number): FrameHeader | undefined {
  if (!window.holds(position, HEADER_BYTES)) return undefined
  const header = readHeader(window.bytes, window.at(position))
  if (typeof header === 'string') return undefined
  const trailerAt = position + HEADER_BYTES + header.payloadBytes
  if (!window.holds(trailerAt, TRAILER_BYTES)) return undefined
  return readTrailer(window.bytes, window.at(trailerAt)) === 'written' ? header : undefined
}
