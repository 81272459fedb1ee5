/** @file Reads a text file, plain or gzip, as numbered lines; the first step of every importer. */

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { MillraceError } from '../errors.ts'

/** A line without its end; `number` counts from 1. */
export interface Line {
  readonly number: number
  readonly text: string
}

/** A file whose line is longer than this is no table of ours: reading on would only fill the memory. */
const LONGEST_LINE = 1 << 20

/**
 * Hands the lines to `take` in groups, in file order, empty lines left out; rejects with what the file system, gzip or
 * `take` threw. Holds one chunk of the file at a time.
 */
export async function readLines(
  file: string,
  take: (lines: readonly Line[]) => void,
): Promise<void> {
  const isPacked = await isGzip(file)
  const stored = createReadStream(file)
  const text = isPacked ? stored.pipe(createGunzip()) : stored
  // Not stream.pipeline: it would put its own "premature close" in the place of what `take` threw.
  stored.once('error', (error) => text.destroy(error))
  const decoder = new TextDecoder()
  const cutter = lineCutter(take)
  try {
    for await (const chunk of text) cutter.push(decoder.decode(chunk, { stream: true }))
    cutter.end(decoder.decode())
  } finally {
    stored.destroy()
  }
}

/** Cuts text that comes in pieces into lines; the piece after the last line end waits for the next one. */
function lineCutter(take: (lines: readonly Line[]) => void) {
  let number = 0
  let rest = ''
  const cut = (text: string): void => {
    const lines = text.split('\n').map((line) => ({ number: ++number, text: withoutReturn(line) }))
    take(lines.filter((line) => line.text !== ''))
  }
  return {
    push(piece: string): void {
      rest += piece
      const end = rest.lastIndexOf('\n')
      if (end >= 0) {
        cut(rest.slice(0, end))
        rest = rest.slice(end + 1)
      } else if (rest.length > LONGEST_LINE) {
        throw new MillraceError('BAD_INPUT', `line ${number + 1} never ends, it is no text file`)
      }
    },
    end(piece: string): void {
      cut(rest + piece)
    },
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

/** By the first two bytes (RFC 1952), because downloads lose their file names. */
async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file)
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
  } finally {
    await handle.close()
  }
}
