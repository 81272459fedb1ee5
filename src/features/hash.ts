/** @file 64-bit keys of feature values: MurmurHash3 x86-128 (Appleby, public domain), its first two words, seeded per slot. */

/** A key as two unsigned halves; reused as an out-parameter, because one is made for every value of every sample. */
export interface HashKey {
  hi: number
  lo: number
}

/**
 * Hashes bytes[0 .. length) with a 32-bit seed into `key`: hi and lo are words h1 and h2 of MurmurHash3_x86_128.
 * Any client reproduces it; in Python `h1, h2 = struct.unpack('<II', mmh3.hash_bytes(value, seed, x86arch=True)[:8])`.
 */
export function hashBytes(bytes: Uint8Array, length: number, seed: number, key: HashKey): void {
  let h1 = seed | 0
  let h2 = h1
  let h3 = h1
  let h4 = h1
  const body = length & ~15
  for (let i = 0; i < body; i += 16) {
    h1 = Math.imul(rotate(h1 ^ scramble1(word(bytes, i)), 19) + h2, 5) + 0x561ccd1b
    h2 = Math.imul(rotate(h2 ^ scramble2(word(bytes, i + 4)), 17) + h3, 5) + 0x0bcaa747
    h3 = Math.imul(rotate(h3 ^ scramble3(word(bytes, i + 8)), 15) + h4, 5) + 0x96cd1c35
    h4 = Math.imul(rotate(h4 ^ scramble4(word(bytes, i + 12)), 13) + h1, 5) + 0x32ac3b17
  }
  h1 ^= scramble1(tail(bytes, body, length)) ^ length
  h2 ^= scramble2(tail(bytes, body + 4, length)) ^ length
  h3 ^= scramble3(tail(bytes, body + 8, length)) ^ length
  h4 ^= scramble4(tail(bytes, body + 12, length)) ^ length
  h1 = (h1 + h2 + h3 + h4) | 0
  const f2 = finish(h2 + h1)
  const f3 = finish(h3 + h1)
  const f4 = finish(h4 + h1)
  const sum = (finish(h1) + f2 + f3 + f4) | 0
  key.hi = sum >>> 0
  key.lo = (f2 + sum) >>> 0
}

const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

function scramble1(k: number): number {
  return Math.imul(rotate(Math.imul(k, C1), 15), C2)
}

function scramble2(k: number): number {
  return Math.imul(rotate(Math.imul(k, C2), 16), C3)
}

function scramble3(k: number): number {
  return Math.imul(rotate(Math.imul(k, C3), 17), C4)
}

function scramble4(k: number): number {
  return Math.imul(rotate(Math.imul(k, C4), 18), C1)
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

/** fmix32: every input bit flips every output bit with probability one half. */
function finish(word: number): number {
  let h = word | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

/** Up to four bytes before `end`, little-endian, the missing ones 0: a scrambled 0 changes nothing, as the reference has it. */
function tail(bytes: Uint8Array, at: number, end: number): number {
  let k = 0
  for (let i = Math.min(at + 4, end) - 1; i >= at; i--) k = (k << 8) | bytes[i]!
  return k
}
