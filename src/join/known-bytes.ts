/** @file The impressions that the join knows as bytes: with their event as long as they are open, else by key and time. */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { DecodeEvent } from '../events/event.ts'
import { readEvent, writeEvent } from '../events/reorder-buffer.ts'
import type { KnownImpression } from './known-impressions.ts'

const CLOSED = 0
const OPEN = 1
/** Open, and not found by its key any more. */
const SHADOWED = 2

export function writeKnown(writer: ByteWriter, impression: KnownImpression): void {
  const { key = '', time, event, found, labels, delaysMs } = impression
  if (event === undefined) writer.u8(CLOSED).array(delaysMs).text(key).f64(time)
  else
    writeEvent(
      writer
        .u8(found ? OPEN : SHADOWED)
        .array(delaysMs)
        .array(labels),
      event,
    )
}

/** What `writeKnown` wrote, of a join with so many tasks; CORRUPT when it is of another. */
export function readKnown(reader: ByteReader, tasks: number, decode: DecodeEvent): KnownImpression {
  const state = reader.u8()
  const isOpen = state !== CLOSED
  const delaysMs = reader.float64()
  const labels = isOpen ? reader.float64() : new Float64Array(tasks)
  if (labels.length !== tasks || delaysMs.length !== tasks) {
    throw new MillraceError('CORRUPT', `${labels.length} labels for ${tasks} tasks`)
  }
  if (!isOpen) {
    const key = reader.text()
    const found = key !== ''
    return { key, time: reader.f64(), event: undefined, found, labels, delaysMs }
  }
  const event = readEvent(reader, decode)
  const found = state === OPEN
  return { key: undefined, time: event.time, event, found, labels, delaysMs }
}

/** Narrows the counts of a snapshot: of the impressions that are remembered, none can be counted twice. */
export function countsIn(value: unknown): number[] {
  const most: unknown = Array.isArray(value) ? value.at(-1) : undefined
  const isCount = (count: unknown): boolean =>
    Number.isSafeInteger(count) && Number(count) >= 0 && Number(count) <= Number(most)
  if (Array.isArray(value) && value.every(isCount)) return value
  throw new MillraceError('CORRUPT', 'expected a list of counts')
}
