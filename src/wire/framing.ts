/** @file The bytes in front of an Avro value that name its writer's schema: single-object encoding or the Confluent framing. */

import { MillraceError } from '../errors.ts'

/**
 * `single-object`: 0xC3 0x01 and the schema's fingerprint (Avro specification, "Single-object encoding").
 * `confluent`: 0x00 and the schema's registry id, 32 bits, big-endian.
 */
export type Framing = 'single-object' | 'confluent'

/** Header sizes in bytes. */
const SIZE: Readonly<Record<Framing, number>> = { 'single-object': 10, confluent: 5 }

/** The header of every value written with one schema. A `confluent` header without an id is BAD_SETTINGS. */
export function frameHeader(
  framing: Framing,
  fingerprint: Uint8Array,
  schemaId: number | undefined,
): Uint8Array {
  const header = new Uint8Array(SIZE[framing])
  if (framing === 'single-object') {
    header.set([0xc3, 0x01])
    header.set(fingerprint, 2)
    return header
  }
  if (
    schemaId === undefined ||
    !Number.isInteger(schemaId) ||
    schemaId < 0 ||
    schemaId > 0x7fffffff
  ) {
    throw new MillraceError('BAD_SETTINGS', `confluent framing with the schema id ${schemaId}`, {
      remedy: 'Give every schema its registry id, an integer from 0 to 2147483647.',
    })
  }
  new DataView(header.buffer).setUint32(1, schemaId)
  return header
}

/** Whether `bytes` begin with `header`. In the hot path: one comparison per header byte, no view is made. */
export function startsWith(bytes: Uint8Array, header: Uint8Array): boolean {
  if (bytes.length < header.length) return false
  for (let i = 0; i < header.length; i++) if (bytes[i] !== header[i]) return false
  return true
}

/** The registry id in front of a value in the Confluent framing; undefined when these bytes are in none. */
export function registryId(bytes: Uint8Array): number | undefined {
  if (bytes.length < SIZE.confluent || bytes[0] !== 0) return undefined
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
}

/** Why no known header matched: the reason of a dead letter, made of the first bytes alone. */
export function foreignHeader(framing: Framing, bytes: Uint8Array): string {
  if (bytes.length < SIZE[framing]) {
    return `truncated: ${bytes.length} bytes, the ${framing} header alone has ${SIZE[framing]}`
  }
  if (framing === 'confluent') {
    if (bytes[0] !== 0) return `not in confluent framing: starts with ${hex(bytes, 0, 1)}, not 00`
    return `unknown schema id ${registryId(bytes)}`
  }
  if (bytes[0] !== 0xc3 || bytes[1] !== 0x01) {
    return `not in single-object encoding: starts with ${hex(bytes, 0, 2)}, not c301`
  }
  return `unknown schema fingerprint ${hex(bytes, 2, 10)}`
}

function hex(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.subarray(from, to)).toString('hex')
}
