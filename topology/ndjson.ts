/** @file Newline-delimited JSON files: what commands read rows from and write rows to. */

import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { MillraceError, messageOf } from '../src/errors.ts'

/** The objects of a file, one per line; BAD_INPUT names file and line of what is no JSON object. */
export async function* readNdjson(path: string): AsyncGenerator<Readonly<Record<string, unknown>>> {
  let line = 0
  const input = createReadStream(path, 'utf8')
  await once(input, 'open').catch((cause) => {
    throw new MillraceError('BAD_INPUT', `cannot read ${path}: ${messageOf(cause)}`, {
      remedy: 'give the path of a file with one JSON object per line',
      cause,
    })
  })
  const lines = createInterface({ input, crlfDelay: Infinity })
  for await (const text of lines) {
    line += 1
    if (text.trim() !== '') yield objectFrom(text, `${path}:${line}`)
  }
}

function objectFrom(text: string, place: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new MillraceError('BAD_INPUT', `${place}: ${messageOf(cause)}`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MillraceError('BAD_INPUT', `${place}: not a JSON object`, {
      remedy: 'write one object per line',
    })
  }
  return value as Record<string, unknown>
}

/** Writes rows as they come; waits when the disk is slower. */
export interface NdjsonWriter {
  write(row: object): Promise<void>
  close(): Promise<void>
}

export function writeNdjson(path: string): NdjsonWriter {
  const stream = createWriteStream(path, 'utf8')
  const failed = once(stream, 'error').then(([cause]) => {
    throw new MillraceError('IO', `cannot write ${path}: ${messageOf(cause)}`, { cause })
  })
  failed.catch(() => undefined) // reported by whichever call waits for it
  return {
    write: async (row) => {
      if (!stream.write(`${JSON.stringify(row)}\n`))
        await Promise.race([once(stream, 'drain'), failed])
    },
    close: async () => {
      stream.end()
      await Promise.race([once(stream, 'close'), failed])
    },
  }
}
