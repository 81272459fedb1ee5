/** @file Names of segment files: `<first offset, 20 digits>.segment` in `<root>/<topic>/<partition>/`. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const SEGMENT = /^(\d{20})\.segment$/

/** The path of the segment that begins with `baseOffset`. */
export function segmentPath(directory: string, baseOffset: number): string {
  return join(directory, `${String(baseOffset).padStart(20, '0')}.segment`)
}

/** First offsets of the segments in a partition's directory, ascending. Anything else in there is left alone. */
export function listSegments(directory: string): number[] {
  const bases: number[] = []
  for (const name of readdirSync(directory)) {
    const digits = SEGMENT.exec(name)?.[1]
    if (digits !== undefined) bases.push(Number(digits))
  }
  return bases.sort((a, b) => a - b)
}
