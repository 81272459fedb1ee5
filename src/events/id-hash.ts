/** @file 128-bit fingerprints of event ids: MurmurHash3 x86_128 (Austin Appleby, public domain) over UTF-16 code units. */

import { mix32 } from '../random.ts'
import { type Name, unitsOf } from './name-units.ts'

const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

/**
 * Writes the fingerprint of a name into the four words of `out`; the same on every machine. Among n remembered ids two
 * different ones share a fingerprint with probability below n^2 / 2^129: 1.5e-27 for a million. The function is not
 * cryptographic: whoever may choose event ids freely can make two collide, and loses the second of the own events.
 */
export function fingerprint(name: Name, out: Uint32Array): void {
  const { units, length } = unitsOf(name)
  const blockEnd = length & ~7
  let h1 = 0
  let h2 = 0
  let h3 = 0
  let h4 = 0
  // One block is 16 bytes: four 32-bit lanes of two code units each.
  for (let at = 0; at < blockEnd; at += 8) {
    h1 ^= scramble(units[at]! | (units[at + 1]! << 16), C1, 15, C2)
    h1 = (Math.imul(rotated(h1, 19) + h2, 5) + 0x561ccd1b) | 0
    h2 ^= scramble(units[at + 2]! | (units[at + 3]! << 16), C2, 16, C3)
    h2 = (Math.imul(rotated(h2, 17) + h3, 5) + 0x0bcaa747) | 0
    h3 ^= scramble(units[at + 4]! | (units[at + 5]! << 16), C3, 17, C4)
    h3 = (Math.imul(rotated(h3, 15) + h4, 5) + 0x96cd1c35) | 0
    h4 ^= scramble(units[at + 6]! | (units[at + 7]! << 16), C4, 18, C1)
    h4 = (Math.imul(rotated(h4, 13) + h1, 5) + 0x32ac3b17) | 0
  }
  // The lanes of the tail that hold no unit are 0, and a lane of 0 scrambles to 0.
  h4 ^= scramble(pair(units, blockEnd + 6, length), C4, 18, C1)
  h3 ^= scramble(pair(units, blockEnd + 4, length), C3, 17, C4)
  h2 ^= scramble(pair(units, blockEnd + 2, length), C2, 16, C3)
  h1 ^= scramble(pair(units, blockEnd, length), C1, 15, C2)

  const bytes = length * 2
  h2 ^= bytes
  h3 ^= bytes
  h4 ^= bytes
  h1 = ((h1 ^ bytes) + h2 + h3 + h4) | 0
  h2 = finalised((h2 + h1) | 0)
  h3 = finalised((h3 + h1) | 0)
  h4 = finalised((h4 + h1) | 0)
  h1 = finalised(h1)
  h1 = (h1 + h2 + h3 + h4) | 0
  out[0] = h1
  out[1] = h2 + h1
  out[2] = h3 + h1
  out[3] = h4 + h1
}

/** 32 well mixed bits of a name, for indices that compare the names themselves; the same on every machine. */
export function hash32(name: Name): number {
  const { units, length } = unitsOf(name)
  let h = length
  for (let at = 0; at < length; at++) h = Math.imul(h ^ units[at]!, 0x01000193)
  return mix32(h)
}

/** Where an id lies in [0, 1): uniform over ids, the same on every machine, different per salt; for keep or skip decisions. */
export function hashShare(id: Name, salt: number): number {
  return mix32(hash32(id) ^ mix32(salt)) / 2 ** 32
}

/** Two code units as one lane, low unit first; what lies behind the end counts as 0. */
function pair(units: Uint16Array, at: number, end: number): number {
  if (at + 1 < end) return units[at]! | (units[at + 1]! << 16)
  return at < end ? units[at]! : 0
}

function scramble(lane: number, first: number, turn: number, second: number): number {
  return Math.imul(rotated(Math.imul(lane, first), turn), second)
}

function rotated(word: number, turn: number): number {
  return (word << turn) | (word >>> (32 - turn))
}

function finalised(word: number): number {
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
