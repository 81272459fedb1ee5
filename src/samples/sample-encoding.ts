/** @file A sample as bytes, for snapshots of what waits in a half-filled mini-batch. */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import { readFields, writeFields } from './field-encoding.ts'
import type { Sample } from './sample.ts'

/** Equal samples give equal bytes. */
export function writeSample(writer: ByteWriter, sample: Sample): void {
  writer.text(sample.id).text(sample.key).f64(sample.time).f64(sample.maturedAt)
  writer.array(sample.labels).array(sample.mask).f64(sample.weight)
  writeFields(writer, sample.fields)
}

/** Reads what `writeSample` wrote; the sample owns its arrays. */
export function readSample(reader: ByteReader): Sample {
  const id = reader.text()
  const key = reader.text()
  const time = reader.f64()
  const maturedAt = reader.f64()
  const labels = reader.float32()
  const mask = reader.uint8()
  const weight = reader.f64()
  return { id, key, time, maturedAt, fields: readFields(reader), labels, mask, weight }
}
