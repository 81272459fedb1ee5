import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fingerprint, hash32 } from '../../src/events/id-hash.ts'

/** From a separate implementation that gives the published value for the first sentence in ASCII; seed 0, UTF-16 LE. */
const KNOWN: readonly (readonly [string, string])[] = [
  ['The quick brown fox jumps over the lazy dog', '15beb686 0f94f6ca fed4894d 28be6d5b'],
  ['', '00000000 00000000 00000000 00000000'],
  ['a', '033bb196 ccef4fe1 ccef4fe1 ccef4fe1'],
  ['abc', '2b5b97a3 20f75fb5 5012c2b4 5012c2b4'],
  ['impress', '96036dbc 4996ce79 fdabd4c5 a07f1ab1'],
  ['impressi', 'f092c4a8 4522a6d8 db086cd6 5c00b8d3'],
  ['Ünïcödé ✓ 🎉', 'd56f12f5 56c3fa0d 9e12d60c 42a8f66a'],
]

function words(id: string): string {
  const out = new Uint32Array(4)
  fingerprint(id, out)
  return [...out].map((word) => word.toString(16).padStart(8, '0')).join(' ')
}

describe('fingerprints', () => {
  it('are MurmurHash3 x86_128 of the code units', () => {
    for (const [text, expected] of KNOWN) expect(words(text)).toBe(expected)
  })

  it('differ for different texts of every length, whatever differs', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        fc.string({ maxLength: 40 }),
        (a, b) => {
          expect(words(a) === words(b)).toBe(a === b)
          expect(words(`${a}\u0000`)).not.toBe(words(a))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('spread every bit evenly over ids that only count up', () => {
    const ones = new Array<number>(128).fill(0)
    const out = new Uint32Array(4)
    const ids = 4000
    for (let n = 0; n < ids; n++) {
      fingerprint(`impression-${n}`, out)
      for (let bit = 0; bit < 128; bit++)
        ones[bit] = ones[bit]! + ((out[bit >> 5]! >>> (bit & 31)) & 1)
    }
    // Five standard deviations of a fair coin.
    const tolerance = 5 * Math.sqrt(ids / 4)
    for (const count of ones) expect(Math.abs(count - ids / 2)).toBeLessThan(tolerance)
  })
})

describe('the 32-bit hash', () => {
  it('spreads ids that only count up over the low bits that an index uses', () => {
    const places = new Uint32Array(1024)
    for (let n = 0; n < 32 * 1024; n++) places[hash32(`user-${n}`) & 1023]!++
    // 32 expected per place; Poisson, six standard deviations.
    expect(Math.max(...places)).toBeLessThan(32 + 6 * Math.sqrt(32))
    expect(Math.min(...places)).toBeGreaterThan(0)
  })
})
