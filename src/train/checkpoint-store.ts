/**
 * @file Checkpoints on disk: atomic, checksummed, incremental. A checkpoint is a file of named parts; a chain starts with a
 * full file and goes on with files that replace small parts and append to growing ones, so that the cost of a checkpoint
 * follows what changed and not what exists (design section 4).
 */

import { createHash } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'

/** One named piece of state. `append`: the bytes follow those of the same part in earlier files of the chain. */
export interface CheckpointPart {
  readonly name: string
  readonly append: boolean
  readonly bytes: Uint8Array
}

/** A checkpoint read back: for each part its pieces in order (one piece unless it is appended to). */
export interface LoadedCheckpoint {
  readonly number: number
  readonly parts: ReadonlyMap<string, readonly Uint8Array[]>
}

const MAGIC = 0x4b43524d // 'MRCK', little-endian
const NO_BASE = 0xffffffff
const DIGEST_BYTES = 32

/** Writes and reads the chain in one folder. Not safe for two processes: the learner's lock on the folder is taken elsewhere. */
export class CheckpointStore {
  readonly #folder: string
  #last: number | undefined
  #chain: number[] = []

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true })
  }

  /** Files in the current chain; the caller starts a new chain when it grows long. */
  get chainLength(): number {
    return this.#chain.length
  }

  /**
   * Makes the parts durable; when it returns, a crash at any later moment loads them. `full`: starts a new chain, every
   * append part being whole. Older chains are removed once the new file is durable.
   */
  save(parts: readonly CheckpointPart[], full: boolean): number {
    if (!full && this.#last === undefined) {
      throw new MillraceError('BAD_STATE', 'an incremental checkpoint needs one to build on')
    }
    const number = (this.#last ?? -1) + 1
    this.#write(number, encode(number, full ? undefined : this.#last, parts))
    const obsolete = full ? this.#chain : []
    this.#chain = full ? [number] : [...this.#chain, number]
    this.#last = number
    for (const old of obsolete) rmSync(this.#path(old), { force: true })
    return number
  }

  /**
   * The newest checkpoint whose whole chain is intact; undefined in an empty folder. A file that a crash left half written was
   * never renamed into place and is swept. CORRUPT when files are there but no chain is intact: better to stop than to start over.
   */
  load(): LoadedCheckpoint | undefined {
    const numbers = this.#sweep()
    for (const newest of numbers.toReversed()) {
      const chain = this.#readChain(newest)
      if (chain === undefined) continue
      this.#last = newest
      this.#chain = chain.map((file) => file.number)
      for (const number of numbers) if (!this.#chain.includes(number)) rmSync(this.#path(number))
      return { number: newest, parts: merge(chain) }
    }
    if (numbers.length === 0) return undefined
    throw new MillraceError(
      'CORRUPT',
      `no intact checkpoint among ${numbers.length} in ${this.#folder}`,
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

  #readChain(newest: number): CheckpointFile[] | undefined {
    const chain: CheckpointFile[] = []
    let next: number | undefined = newest
    while (next !== undefined) {
      const file = decode(this.#readFile(next))
      if (file === undefined || file.number !== next) return undefined
      chain.unshift(file)
      next = file.base
    }
    return chain
  }

  #readFile(number: number): Uint8Array {
    try {
      return readFileSync(this.#path(number))
    } catch {
      return new Uint8Array(0) // A missing link is judged like a damaged one: the chain is not intact.
    }
  }

  #write(number: number, bytes: Uint8Array): void {
    const path = this.#path(number)
    const temporary = `${path}.tmp`
    const file = openSync(temporary, 'w')
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
    const folder = openSync(this.#folder, 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  }

  #path(number: number): string {
    return join(this.#folder, `${String(number).padStart(10, '0')}.checkpoint`)
  }
}

interface CheckpointFile {
  readonly number: number
  readonly base: number | undefined
  readonly parts: readonly CheckpointPart[]
}

function encode(
  number: number,
  base: number | undefined,
  parts: readonly CheckpointPart[],
): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.bytes.length + part.name.length + 16, 64)
  const writer = new ByteWriter(size)
  writer
    .u32(MAGIC)
    .u32(number)
    .u32(base ?? NO_BASE)
    .u32(parts.length)
  for (const part of parts)
    writer
      .text(part.name)
      .u8(part.append ? 1 : 0)
      .bytes(part.bytes)
  return writer.raw(createHash('sha256').update(writer.finish()).digest()).finish()
}

function decode(bytes: Uint8Array): CheckpointFile | undefined {
  if (bytes.length < DIGEST_BYTES + 16) return undefined
  const content = bytes.subarray(0, bytes.length - DIGEST_BYTES)
  const digest = createHash('sha256').update(content).digest()
  if (!digest.equals(bytes.subarray(content.length))) return undefined
  const reader = new ByteReader(content)
  if (reader.u32() !== MAGIC) return undefined
  const number = reader.u32()
  const base = reader.u32()
  const parts: CheckpointPart[] = []
  for (let left = reader.u32(); left > 0; left--) {
    parts.push({ name: reader.text(), append: reader.u8() === 1, bytes: reader.bytes() })
  }
  return { number, base: base === NO_BASE ? undefined : base, parts }
}

function merge(chain: readonly CheckpointFile[]): Map<string, Uint8Array[]> {
  const parts = new Map<string, Uint8Array[]>()
  for (const file of chain) {
    for (const part of file.parts) {
      const pieces = parts.get(part.name)
      if (part.append && pieces !== undefined) pieces.push(part.bytes)
      else parts.set(part.name, [part.bytes])
    }
  }
  return parts
}
