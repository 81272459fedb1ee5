import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c } from '../../src/broker/crc32c.ts'
import { murmur2, partitionOf } from '../../src/broker/partitioner.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('crc32c', () => {
  it.each([
    ['the check value of the catalogue', bytes('123456789'), 0xe3069283],
    ['nothing', new Uint8Array(0), 0],
    ['32 zeros (RFC 3720 B.4)', new Uint8Array(32), 0x8a9136aa],
    ['32 ones (RFC 3720 B.4)', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['32 rising bytes (RFC 3720 B.4)', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ])('of %s is as published', (_name, input, expected) => {
    expect(crc32c(input)).toBe(expected)
  })

  it('agrees with the bit-by-bit definition on any part of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(20), (input, from) => {
        let crc = 0xffffffff
        for (const byte of input.subarray(from)) {
          crc ^= byte
          for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
        }
        const start = Math.min(from, input.length)
        expect(crc32c(input, start)).toBe(~crc >>> 0)
      }),
      { seed: 1 },
    )
  })
})

describe('murmur2', () => {
  // The vectors of Kafka's own UtilsTest.testMurmur2.
  it.each([
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ])('of %j is as in Kafka', (key, expected) => {
    expect(murmur2(bytes(key))).toBe(expected)
  })

  it('spreads keys over all partitions and never outside them', () => {
    const counts = new Uint32Array(7)
    for (let i = 0; i < 7000; i++) counts[partitionOf(bytes(`user-${i}`), 7)]! += 1
    expect(Math.min(...counts)).toBeGreaterThan(850)
    expect(Math.max(...counts)).toBeLessThan(1150)
  })
})
