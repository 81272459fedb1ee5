/**
 * @file Checkpoints on disk: atomic, checksummed, incremental. A checkpoint is a file of named parts; what is large has only what
 * changed and a share of the rest in each file, so that some files in a row are the whole (src/turn.ts) and the cost of a
 * checkpoint does not grow with what exists (design section 4).
 */

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Turn } from '../turn.ts'

/** One named piece of state. `pieces`: the part is the pieces of this name in the last files, in order; else the newest alone. */
export interface CheckpointPart {
  readonly name: string
  readonly pieces: boolean
  readonly bytes: Uint8Array
}

/** A checkpoint read back: for each part its pieces in order, or its one newest. */
export interface LoadedCheckpoint {
  readonly number: number
  readonly parts: ReadonlyMap<string, readonly Uint8Array[]>
}

const MAGIC = 0x3243524d // 'MRC2', little-endian
const DIGEST_BYTES = 32

/** Files that are one checkpoint: bounds what a restore reads and what lies on disk. */
const FILES = 20

/** Bytes that are hashed and written at a time, at most; between two pieces the caller has its turn. */
const WRITE_BYTES = 1 << 20

/** Writes and reads the files in one folder. Not safe for two processes: the learner's lock on the folder is taken elsewhere. */
export class CheckpointStore {
  readonly #folder: string
  #next = 0

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true })
  }

  /** Of the next checkpoint: what its pieces repeat. */
  get turn(): Turn {
    return { number: this.#next, of: FILES }
  }

  /**
   * Makes the parts durable: once it resolves, a crash at any later moment loads them. Hashing, writing and syncing go on beside the
   * caller, who leaves the bytes as they are until then: they are not copied. One at a time.
   */
  async save(parts: readonly CheckpointPart[]): Promise<number> {
    const number = this.#next
    const first = Math.max(0, number - FILES + 1)
    await this.#write({ number, first, parts })
    this.#next = number + 1
    // The file before the first is kept: the newest may turn out to be damaged, and then it is the first.
    if (first > 1) await rm(this.#path(first - 2), { force: true })
    return number
  }

  /**
   * The newest checkpoint of which all files are intact; undefined in an empty folder. A file that a crash left half written was
   * never renamed into place and is swept. CORRUPT when files are there but no checkpoint is: better to stop than to start over.
   */
  load(): LoadedCheckpoint | undefined {
    const numbers = this.#sweep()
    for (const newest of numbers.toReversed()) {
      const files = this.#readWhole(newest)
      if (files === undefined) continue
      this.#next = newest + 1
      // One before the first stays, as after a save; a crash may have left older ones.
      const oldest = files[0]!.number - 1
      for (const number of numbers) {
        if (number > newest || number < oldest) rmSync(this.#path(number))
      }
      return { number: newest, parts: merge(files) }
    }
    if (numbers.length === 0) return undefined
    throw new MillraceError(
      'CORRUPT',
      `no intact checkpoint among ${numbers.length} files in ${this.#folder}`,
      {
        remedy: 'restore the folder from a copy, or move it away to learn again from the log',
      },
    )
  }

  #sweep(): number[] {
    const numbers: number[] = []
    for (const name of readdirSync(this.#folder)) {
      if (name.endsWith('.tmp')) rmSync(join(this.#folder, name))
      const match = /^(\d{10})\.checkpoint$/.exec(name)
      if (match !== null) numbers.push(Number(match[1]))
    }
    return numbers.sort((a, b) => a - b)
  }

  /** The files of a checkpoint in order; undefined when one is missing or damaged. */
  #readWhole(newest: number): CheckpointFile[] | undefined {
    const last = this.#read(newest)
    if (last === undefined) return undefined
    const files = [last]
    for (let number = newest - 1; number >= last.first; number--) {
      const file = this.#read(number)
      if (file === undefined) return undefined
      files.unshift(file)
    }
    return files
  }

  #read(number: number): CheckpointFile | undefined {
    try {
      const file = decode(readFileSync(this.#path(number)))
      return file?.number === number ? file : undefined
    } catch {
      return undefined // A missing file is judged like a damaged one.
    }
  }

  async #write(content: CheckpointFile): Promise<void> {
    const path = this.#path(content.number)
    const temporary = `${path}.tmp`
    const file = await open(temporary, 'w')
    try {
      const hash = createHash('sha256')
      for (const piece of bytesOf(content)) {
        hash.update(piece)
        await writeAll(file, piece)
      }
      await writeAll(file, hash.digest())
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    const folder = await open(this.#folder, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }

  #path(number: number): string {
    return join(this.#folder, `${String(number).padStart(10, '0')}.checkpoint`)
  }
}

interface CheckpointFile {
  readonly number: number
  /** Oldest file that belongs to the checkpoint. */
  readonly first: number
  readonly parts: readonly CheckpointPart[]
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

/** The bytes of a file, piece by piece; each is valid until the next. Small parts go together, large ones are not copied. */
function* bytesOf({ number, first, parts }: CheckpointFile): Generator<Uint8Array> {
  const writer = new ByteWriter().u32(MAGIC).u32(number).u32(first).u32(parts.length)
  for (const { name, pieces, bytes } of parts) {
    if (writer.length + bytes.length > WRITE_BYTES) {
      yield writer.finish()
      writer.clear()
    }
    writer
      .text(name)
      .u8(pieces ? 1 : 0)
      .u32(bytes.length)
    if (bytes.length <= WRITE_BYTES) {
      writer.raw(bytes)
      continue
    }
    yield writer.finish()
    writer.clear()
    for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
      yield bytes.subarray(at, at + WRITE_BYTES)
    }
  }
  if (writer.length > 0) yield writer.finish()
}

function decode(bytes: Uint8Array): CheckpointFile | undefined {
  if (bytes.length < DIGEST_BYTES + 16) return undefined
  const content = bytes.subarray(0, bytes.length - DIGEST_BYTES)
  const digest = createHash('sha256').update(content).digest()
  if (!digest.equals(bytes.subarray(content.length))) return undefined
  const reader = new ByteReader(content)
  if (reader.u32() !== MAGIC) return undefined
  const [number, first] = [reader.u32(), reader.u32()]
  const parts: CheckpointPart[] = []
  for (let left = reader.u32(); left > 0; left--) {
    parts.push({ name: reader.text(), pieces: reader.u8() === 1, bytes: reader.bytes() })
  }
  return { number, first, parts }
}

function merge(files: readonly CheckpointFile[]): Map<string, Uint8Array[]> {
  const parts = new Map<string, Uint8Array[]>()
  for (const file of files) {
    for (const { name, pieces, bytes } of file.parts) {
      const before = pieces ? (parts.get(name) ?? []) : []
      parts.set(name, [...before, bytes])
    }
  }
  return parts
}
