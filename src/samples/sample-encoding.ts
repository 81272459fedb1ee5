/** @file A sample as bytes, for snapshots of what waits in a half-filled mini-batch. */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import { readFields, writeFields } from './field-encoding.ts'
import type { Sample } from './sample.ts'

/** Places are part of the format: new roles go to the end. */
const ROLES: readonly Sample['role'][] = [
  'final',
  'opened',
  'provisional',
  'late-positive',
  'matured',
  'drawn',
  'erasure',
]

/** Equal samples give equal bytes. */
export function writeSample(writer: ByteWriter, sample: Sample): void {
  writer.u8(ROLES.indexOf(sample.role))
  writer.text(sample.id).text(sample.key).f64(sample.time).f64(sample.maturedAt)
  writer.array(sample.labels).array(sample.mask).array(sample.learned).array(sample.late)
  writer.f64(sample.weight).f64(sample.logDrawRate ?? 0)
  writeFields(writer, sample.fields)
}

/** Reads what `writeSample` wrote; the sample owns its arrays. */
export function readSample(reader: ByteReader): Sample {
  const place = reader.u8()
  const role = ROLES[place]
  if (role === undefined) throw new MillraceError('CORRUPT', `a sample of unknown role ${place}`)
  const id = reader.text()
  const key = reader.text()
  const time = reader.f64()
  const maturedAt = reader.f64()
  const labels = reader.float32()
  const mask = reader.uint8()
  const learned = reader.uint8()
  const late = reader.uint8()
  const weight = reader.f64()
  const logDrawRate = reader.f64()
  // A rate of 1 changes no loss: it stands for none.
  const known = {
    labels,
    mask,
    learned,
    late,
    weight,
    ...(logDrawRate === 0 ? {} : { logDrawRate }),
  }
  return { role, id, key, time, maturedAt, fields: readFields(reader), ...known }
}
