/** @file Encoded features as bytes: in probes of updates, and in the publisher's snapshot. */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { EncodedFeatures, SlotKeys } from '../features/encoded-batch.ts'

/** Encoded features as they stand in updates and snapshots. */
export function writeFeatures(writer: ByteWriter, features: EncodedFeatures): void {
  writer.u32(features.rows).u32(features.slots.length)
  for (const slot of features.slots) {
    writer.text(poolingText(slot)).array(slot.hi).array(slot.lo).array(slot.starts)
  }
  writer.u32(features.denseWidth).array(features.dense)
}

/** What `writeFeatures` wrote. */
export function readFeatures(reader: ByteReader): EncodedFeatures {
  const rows = reader.u32()
  const slots: SlotKeys[] = []
  for (let left = reader.u32(); left > 0; left--) {
    slots.push({
      ...poolingFrom(reader.text()),
      hi: reader.uint32(),
      lo: reader.uint32(),
      starts: reader.uint32(),
    })
  }
  return { rows, slots, denseWidth: reader.u32(), dense: reader.float32() }
}

/** Attention names the slot of its query behind it. */
function poolingText({ pooling, query }: SlotKeys): string {
  return query === undefined ? pooling : `${pooling} ${query}`
}

function poolingFrom(text: string): Pick<SlotKeys, 'pooling' | 'query'> {
  if (text === 'single' || text === 'mean' || text === 'sum' || text === 'history-mean') {
    return { pooling: text }
  }
  const query = /^history-attention (\d+)$/.exec(text)?.[1]
  if (query !== undefined) return { pooling: 'history-attention', query: Number(query) }
  throw new MillraceError('CORRUPT', `unknown pooling ${JSON.stringify(text)} in an update`)
}
