/** @file CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of every frame in a segment; slicing by 8. */

/** Reflected polynomial. */
const POLYNOMIAL = 0x82f63b78

/** Eight tables of 256 entries, one after the other: table k is a byte that is k bytes away from the end. */
const TABLES = slicingTables()

/** The checksum of `bytes[from, to)`, an unsigned 32-bit integer. */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  const t = TABLES
  let crc = -1
  let i = from
  // Hot loop: every byte that is read or written passes here.
  for (; i + 8 <= to; i += 8) {
    const low =
      crc ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24))
    crc =
      t[1792 + (low & 0xff)]! ^
      t[1536 + ((low >>> 8) & 0xff)]! ^
      t[1280 + ((low >>> 16) & 0xff)]! ^
      t[1024 + (low >>> 24)]! ^
      t[768 + bytes[i + 4]!]! ^
      t[512 + bytes[i + 5]!]! ^
      t[256 + bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!
  }
  for (; i < to; i++) crc = t[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}

function slicingTables(): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let n = 0; n < 256; n++) {
    let crc = n
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[n] = crc
  }
  for (let n = 256; n < tables.length; n++) {
    const shorter = tables[n - 256]!
    tables[n] = (shorter >>> 8) ^ tables[shorter & 0xff]!
  }
  return tables
}
