/** @file Keeps the newest record of every key: rewrites closed segments without the records that a later one replaced. */

import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import type { LogRecord } from '../topic-log.ts'
import { writeAll } from './disk.ts'
import { FrameBuffer } from './frame.ts'
import { segmentPath } from './segment-files.ts'
import { SegmentReader } from './segment-reader.ts'

/**
 * Compacts the segments with these first offsets, ascending; the last one is being written and stays as it is, but what is
 * in it counts. Offsets do not change; each file is replaced at once, so a reader or a crash sees the old or the new one.
 * Memory grows with the number of keys.
 */
export function compactSegments(directory: string, bases: readonly number[]): void {
  const newest = new Map<string, { readonly offset: number; readonly base: number }>()
  /** Segments with records that a later one replaced. */
  const outdated = new Set<number>()
  for (const base of bases) {
    eachFrame(directory, base, (records) => {
      for (const { key, offset } of records) {
        const name = nameOf(key)
        const earlier = newest.get(name)
        if (earlier !== undefined) outdated.add(earlier.base)
        newest.set(name, { offset, base })
      }
    })
  }
  const isNewest = ({ key, offset }: LogRecord): boolean =>
    newest.get(nameOf(key))?.offset === offset
  bases.slice(0, -1).forEach((base, i) => {
    if (!outdated.has(base)) return
    rewrite(directory, base, isNewest)
    // The first file stays even when nothing is left in it: where the log begins must not move.
    if (i > 0 && isEmpty(directory, base)) rmSync(segmentPath(directory, base))
  })
}

function rewrite(directory: string, base: number, keep: (record: LogRecord) => boolean): void {
  const path = segmentPath(directory, base)
  const draft = `${path}.draft`
  const frames = new FrameBuffer()
  const fd = openSync(draft, 'w')
  let written = 0
  try {
    eachFrame(directory, base, (records) => {
      const kept = records.filter(keep)
      if (kept.length === 0) return
      frames.add(kept, 0, kept.length)
      const bytes = frames.take()
      writeAll(fd, bytes, written)
      written += bytes.length
    })
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(draft, path)
}

function eachFrame(
  directory: string,
  base: number,
  visit: (records: readonly LogRecord[]) => void,
): void {
  const segment = new SegmentReader(directory, base)
  try {
    for (let frame = segment.frameAt(0); frame !== undefined; frame = segment.frameAt(frame.end)) {
      visit(frame.records)
    }
  } finally {
    segment.close()
  }
}

function isEmpty(directory: string, base: number): boolean {
  const segment = new SegmentReader(directory, base)
  try {
    return segment.size() === 0
  } finally {
    segment.close()
  }
}

/** One character per byte: keys are bytes, and a map wants a string. */
function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
}
