/** @file A window on a growing file: reads it in big pieces, however small the steps of the reader. */

import { fstatSync, readSync } from 'node:fs'

/** Bytes of one open file around the place last asked for. A piece is never written to again: views on it stay valid. */
export class FileWindow {
  readonly #fd: number
  readonly #pieceBytes: number
  #piece: Buffer = Buffer.alloc(0)
  #start = 0

  constructor(fd: number, pieceBytes: number) {
    this.#fd = fd
    this.#pieceBytes = pieceBytes
  }

  /** The current piece; index it with `at(position)`. */
  get bytes(): Buffer {
    return this.#piece
  }

  /** Where a position of the file is in `bytes`. */
  at(position: number): number {
    return position - this.#start
  }

  /** Whether the file has `count` bytes at `position`; if so they are in `bytes`. */
  has(position: number, count: number): boolean {
    return this.holds(position, count) || this.reload(position, count)
  }

  /** Whether `bytes` has them already. */
  holds(position: number, count: number): boolean {
    return position >= this.#start && position + count <= this.#start + this.#piece.length
  }

  /** As `has`, but from the file as it is now. */
  reload(position: number, count: number): boolean {
    const left = fstatSync(this.#fd).size - position
    if (left < count) return false
    this.#load(position, Math.min(left, Math.max(count, this.#pieceBytes)))
    return this.holds(position, count)
  }

  #load(position: number, count: number): void {
    const piece = Buffer.allocUnsafeSlow(count)
    let filled = 0
    while (filled < count) {
      const got = readSync(this.#fd, piece, filled, count - filled, position + filled)
      if (got === 0) break
      filled += got
    }
    this.#piece = piece.subarray(0, filled)
    this.#start = position
  }
}
