/** @file The hash against the reference's own verification value, and its avalanche. */

import { expect, test } from 'vitest'
import { type HashKey, hashBytes } from '../../src/features/hash.ts'
import { ValueKeys } from '../../src/features/value-key.ts'

const utf8 = new TextEncoder()

function hashText(text: string, seed: number): HashKey {
  const key = { hi: 0, lo: 0 }
  const bytes = utf8.encode(text)
  hashBytes(bytes, bytes.length, seed, key)
  return key
}

const hex = ({ hi, lo }: HashKey): string =>
  hi.toString(16).padStart(8, '0') + lo.toString(16).padStart(8, '0')

test('the words h1 and h2 are those of published MurmurHash3 x86-128 vectors', () => {
  expect(hex(hashText('', 0))).toBe('0000000000000000')
  expect(hex(hashText('', 1))).toBe('88c4adec54d201b9')
  expect(hex(hashText('I will not buy this record, it is scratched.', 0))).toBe('a0a9683b25ac5e40')
  expect(hex(hashText("I will not buy this tobacconist's, it is scratched.", 0))).toBe(
    '9b5b7ba2ef3f7866',
  )
})

/** MurmurHash3_x86_128 as the reference has it, on BigInt, all four words: slow, and written independently. */
function reference(bytes: Uint8Array, seed: number): number[] {
  const wrap = (x: bigint): bigint => BigInt.asUintN(32, x)
  const rotl = (x: bigint, r: bigint): bigint => wrap((x << r) | (x >> (32n - r)))
  const c = [0x239b961bn, 0xab0e9789n, 0x38b34ae5n, 0xa1e38b93n]
  const turn = [15n, 16n, 17n, 18n]
  const after = [19n, 17n, 15n, 13n]
  const add = [0x561ccd1bn, 0x0bcaa747n, 0x96cd1c35n, 0x32ac3b17n]
  const h = [0, 1, 2, 3].map(() => BigInt(seed))
  const mixed = (k: bigint, i: number): bigint =>
    wrap(rotl(wrap(k * c[i]!), turn[i]!) * c[(i + 1) % 4]!)
  const block = (at: number, i: number): bigint => {
    let k = 0n
    for (let b = 3; b >= 0; b--) k = (k << 8n) | BigInt(bytes[at + 4 * i + b] ?? 0)
    return k
  }
  const blocks = Math.floor(bytes.length / 16)
  for (let n = 0; n < blocks; n++) {
    for (let i = 0; i < 4; i++) {
      h[i]! ^= mixed(block(n * 16, i), i)
      h[i] = wrap(wrap(rotl(h[i]!, after[i]!) + h[(i + 1) % 4]!) * 5n + add[i]!)
    }
  }
  for (let i = 0; i < 4; i++) h[i]! ^= mixed(block(blocks * 16, i), i) ^ BigInt(bytes.length)
  const spread = (): void => {
    h[0] = wrap(h[0]! + h[1]! + h[2]! + h[3]!)
    for (let i = 1; i < 4; i++) h[i] = wrap(h[i]! + h[0]!)
  }
  spread()
  for (let i = 0; i < 4; i++) {
    let x = h[i]!
    x = wrap((x ^ (x >> 16n)) * 0x85ebca6bn)
    x = wrap((x ^ (x >> 13n)) * 0xc2b2ae35n)
    h[i] = x ^ (x >> 16n)
  }
  spread()
  return h.map(Number)
}

test('the slow reference of this test has the verification value that SMHasher states for MurmurHash3_x86_128', () => {
  const all: number[] = []
  const asBytes = (words: number[]): number[] =>
    words.flatMap((w) => [w & 255, (w >>> 8) & 255, (w >>> 16) & 255, w >>> 24])
  for (let i = 0; i < 256; i++) {
    const key = Uint8Array.from({ length: i }, (_, at) => at)
    all.push(...asBytes(reference(key, 256 - i)))
  }
  expect(reference(Uint8Array.from(all), 0)[0]).toBe(0xb3ece62a)
})

test('the fast hash equals the reference for every length up to 100 bytes and many seeds', () => {
  for (let length = 0; length <= 100; length++) {
    const bytes = Uint8Array.from({ length: length + 8 }, (_, i) => (i * 131 + length * 17) & 255)
    const seed = (length * 0x9e3779b9) >>> 0
    const key = { hi: 0, lo: 0 }
    hashBytes(bytes, length, seed, key)
    expect([key.hi, key.lo]).toEqual(reference(bytes.slice(0, length), seed).slice(0, 2))
  }
})

test('flipping any input bit flips every output bit about half the time', () => {
  const trials = 2000
  const bytes = new Uint8Array(12)
  const flips = new Float64Array(96 * 64)
  const [a, b] = [
    { hi: 0, lo: 0 },
    { hi: 0, lo: 0 },
  ]
  let word = 1
  for (let t = 0; t < trials; t++) {
    for (let i = 0; i < 12; i++) {
      word = (Math.imul(word, 1664525) + 1013904223) >>> 0
      bytes[i] = word >>> 24
    }
    hashBytes(bytes, 12, 7, a)
    for (let bit = 0; bit < 96; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      hashBytes(bytes, 12, 7, b)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      for (let o = 0; o < 32; o++) {
        flips[bit * 64 + o]! += ((a.hi ^ b.hi) >>> o) & 1
        flips[bit * 64 + 32 + o]! += ((a.lo ^ b.lo) >>> o) & 1
      }
    }
  }
  // 6,144 binomial counts of 2,000: six standard deviations are 0.067.
  for (const count of flips) expect(Math.abs(count / trials - 0.5)).toBeLessThan(0.067)
})

test('consecutive ids of one slot have distinct keys, and each half is as good as 32 random bits', () => {
  const keys = new ValueKeys()
  const seed = keys.slotSeed('user')
  const key = { hi: 0, lo: 0 }
  const seen = new Set<number>()
  let sameLow = 0
  const low = new Set<number>()
  for (let id = 0; id < 300_000; id++) {
    keys.write(id, seed, key)
    seen.add(key.hi * 2 ** 20 + (key.lo >>> 12)) // 52 of the 64 bits fit a double
    if (low.has(key.lo)) sameLow += 1
    low.add(key.lo)
  }
  expect(seen.size).toBe(300_000)
  // n^2 / 2^33 = 10.5 birthdays are expected among 32 bits; far more would mean a weak half.
  expect(sameLow).toBeGreaterThan(0)
  expect(sameLow).toBeLessThan(30)
})

test('keys of a slot are what the documentation tells a client to compute', () => {
  const keys = new ValueKeys()
  const key = { hi: 0, lo: 0 }
  const seed = keys.slotSeed('user')
  expect(seed).toBe(hashText('user', 0).hi)
  const keyOf = (value: unknown): string => {
    keys.write(value, seed, key)
    return hex(key)
  }
  expect(keyOf('u42')).toBe(hex(hashText('u42', seed)))
  expect(keyOf(42)).toBe(hex(hashText('42', seed)))
  expect(keyOf(42n)).toBe(keyOf('42'))
  expect(keyOf(true)).toBe(keyOf('true'))
  expect(keyOf('größe 東京 🙂')).toBe(hex(hashText('größe 東京 🙂', seed)))
  expect(keyOf(undefined)).toBe(hex(hashText('', seed)))
  expect(keyOf('x'.repeat(5000))).toBe(hex(hashText('x'.repeat(5000), seed)))
})

test('the key of a cross is the hash of its members’ keys, little-endian', () => {
  const keys = new ValueKeys()
  const key = { hi: 0, lo: 0 }
  const halves = Uint32Array.of(0x01020304, 0xfffefdfc, 5, 6)
  keys.writeCross(halves, 99, key)
  const expected = { hi: 0, lo: 0 }
  hashBytes(new Uint8Array(halves.buffer), 16, 99, expected)
  expect(key).toEqual(expected)
})
