/** @file The 64-bit fingerprint that names a schema on the wire: CRC-64-AVRO, Avro specification 1.11, "Schema Fingerprints". */

/** The polynomial, which is also the fingerprint of no bytes at all. */
const EMPTY = 0xc15d213aa4d7a795n

/**
 * The Rabin fingerprint of `bytes`, as the eight little-endian bytes that single-object encoding puts in front of a value.
 * BigInt arithmetic: it runs once per schema, never per event.
 */
export function crc64Avro(bytes: Uint8Array): Uint8Array {
  let fingerprint = EMPTY
  for (const byte of bytes) {
    fingerprint = (fingerprint >> 8n) ^ tableEntry((fingerprint ^ BigInt(byte)) & 0xffn)
  }
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, fingerprint, true)
  return out
}

function tableEntry(index: bigint): bigint {
  let entry = index
  for (let bit = 0; bit < 8; bit++)
    entry = (entry & 1n) === 1n ? (entry >> 1n) ^ EMPTY : entry >> 1n
  return entry
}
