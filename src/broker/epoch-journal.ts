/**
 * @file The epoch journal: what the network and the wall clock decided (where a poll was cut, which partition was called
 * idle), written before it takes effect so that a replay after a crash takes the same decisions (law 6).
 */

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import { crc32c } from './crc32c.ts'

/** A read of one input in one epoch: offsets from (inclusive) to (exclusive). `input` is the dense index of the partition. */
export interface EpochRead {
  readonly input: number
  readonly from: number
  readonly to: number
}

/** One poll and the decisions taken with it, applied in this order: reads, then idle, then finished. */
export interface Epoch {
  /** Counts from 0 over the whole life of the job. */
  readonly number: number
  readonly reads: readonly EpochRead[]
  /** Every input that is held idle from this epoch on. */
  readonly idle: readonly number[]
  /** Every input that has ended: no record will ever follow. */
  readonly finished: readonly number[]
  /** The whole stream has ended: everything still held leaves. */
  readonly end: boolean
  /** By the wall clock a version is due when this epoch has been learned from. Absent: none is. */
  readonly publish?: true
  /** Registry ids in these reads that the schema registry said it does not have; ascending, absent when there are none. */
  readonly absentSchemas?: readonly number[]
}

/**
 * Append-only file of epochs, one checksummed frame each. A torn last frame is an epoch that never started: dropped on open.
 * Damage anywhere else is CORRUPT: an epoch that ran must not be decided anew.
 */
export class EpochJournal {
  readonly #path: string
  #file: number

  private constructor(path: string, file: number) {
    this.#path = path
    this.#file = file
  }

  /** Opens or makes the journal; `pending` are its epochs in order, to be replayed from the checkpoint's epoch on. */
  static open(path: string): { journal: EpochJournal; pending: Epoch[] } {
    const known = existsSync(path)
    const { epochs, validBytes } = known ? readFrames(readFileSync(path), path) : NOTHING
    if (known) truncateSync(path, validBytes)
    const journal = new EpochJournal(path, openSync(path, 'a'))
    if (!known) fsyncFolder(dirname(path))
    return { journal, pending: epochs }
  }

  /** Durable when it returns; only then may the epoch run. */
  append(epoch: Epoch): void {
    writeWhole(this.#file, frame(epoch))
    fsyncSync(this.#file)
  }

  /** Forgets the epochs that a durable checkpoint covers, atomically; `keep` are those that it does not. */
  reset(keep: readonly Epoch[] = []): void {
    const temporary = `${this.#path}.tmp`
    const file = openSync(temporary, 'w')
    writeWhole(file, Buffer.concat(keep.map(frame)))
    fsyncSync(file)
    closeSync(file)
    closeSync(this.#file)
    renameSync(temporary, this.#path)
    this.#file = openSync(this.#path, 'a')
    fsyncFolder(dirname(this.#path))
  }

  close(): void {
    closeSync(this.#file)
  }
}

interface Frames {
  readonly epochs: Epoch[]
  /** Length of the file without a torn last frame. */
  readonly validBytes: number
}

const NOTHING: Frames = { epochs: [], validBytes: 0 }

/** [length of content | its checksum | checksum of these 8 bytes | content | END]; the length has a checksum of its own because a
 * damaged one would make all that follows look like a torn frame. */
const HEADER_BYTES = 12

/** The last byte of an epoch. */
const END_FLAG = 1
const PUBLISH_FLAG = 2

/** Not 0: where a file system gave room but lost the bytes, zeros stand. */
const END = 0xe5

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}

function fsyncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** An epoch as bytes, without a frame; `epochFrom` reads it back. */
export function epochBytes(epoch: Epoch): Uint8Array {
  const body = new ByteWriter().f64(epoch.number).u32(epoch.reads.length)
  for (const read of epoch.reads) body.u32(read.input).f64(read.from).f64(read.to)
  for (const inputs of [epoch.idle, epoch.finished]) {
    body.u32(inputs.length)
    for (const input of inputs) body.u32(input)
  }
  body.u8((epoch.end ? END_FLAG : 0) | (epoch.publish === true ? PUBLISH_FLAG : 0))
  const absent = epoch.absentSchemas ?? []
  if (absent.length > 0) body.u32(absent.length)
  for (const id of absent) body.u32(id)
  return body.finish()
}

function frame(epoch: Epoch): Uint8Array {
  const content = epochBytes(epoch)
  const header = new ByteWriter().u32(content.length).u32(crc32c(content))
  return header.u32(crc32c(header.finish())).raw(content).u8(END).finish()
}

function readFrames(bytes: Uint8Array, path: string): Frames {
  const epochs: Epoch[] = []
  for (let at = 0; ; ) {
    const next = readFrame(bytes.subarray(at))
    if (next.kind === 'damaged') throw damaged(path, at, `a damaged ${next.part}`)
    if (next.kind === 'torn') return { epochs, validBytes: at }
    const { number } = next.epoch
    const expected = (epochs.at(-1)?.number ?? number - 1) + 1
    if (number !== expected) throw damaged(path, at, `epoch ${number} instead of ${expected}`)
    epochs.push(next.epoch)
    at += next.bytes
  }
}

type ReadFrame =
  | { readonly kind: 'epoch'; readonly epoch: Epoch; readonly bytes: number }
  /** The write of it was never finished, so `append` never returned: also at the end of an undamaged file. */
  | { readonly kind: 'torn' }
  | { readonly kind: 'damaged'; readonly part: string }

/** The frame that the rest of a file starts with. */
function readFrame(rest: Uint8Array): ReadFrame {
  if (rest.length < HEADER_BYTES || rest.every((byte) => byte === 0)) return { kind: 'torn' }
  const reader = new ByteReader(rest)
  const length = reader.u32()
  const checksum = reader.u32()
  if (reader.u32() !== crc32c(rest.subarray(0, 8))) return { kind: 'damaged', part: 'frame header' }
  const bytes = HEADER_BYTES + length + 1
  if (rest.length < bytes) return { kind: 'torn' }
  const content = reader.raw(length)
  const end = reader.u8()
  if (rest.length === bytes && end === 0) return { kind: 'torn' }
  if (crc32c(content) !== checksum || end !== END) return { kind: 'damaged', part: 'frame' }
  return { kind: 'epoch', epoch: epochFrom(new ByteReader(content)), bytes }
}

function damaged(path: string, at: number, what: string): MillraceError {
  return new MillraceError('CORRUPT', `${path} has ${what} at byte ${at}`, {
    remedy: 'restore the state folder from a copy, or move it away to learn again from the log',
  })
}

/** What `epochBytes` wrote. */
export function epochFrom(reader: ByteReader): Epoch {
  const number = reader.f64()
  const reads = Array.from({ length: reader.u32() }, () => ({
    input: reader.u32(),
    from: reader.f64(),
    to: reader.f64(),
  }))
  const idle = Array.from({ length: reader.u32() }, () => reader.u32())
  const finished = Array.from({ length: reader.u32() }, () => reader.u32())
  const flags = reader.u8()
  const publish = (flags & PUBLISH_FLAG) === 0 ? {} : { publish: true as const }
  const epoch = { number, reads, idle, finished, end: (flags & END_FLAG) !== 0, ...publish }
  if (reader.remaining === 0) return epoch
  return { ...epoch, absentSchemas: Array.from({ length: reader.u32() }, () => reader.u32()) }
}
