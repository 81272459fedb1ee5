import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from '../../src/bytes.ts'
import { Adwin } from '../../src/observe/adwin.ts'
import { randomFrom } from '../../src/random.ts'

/** Zeros and ones, one with this probability at each place. */
function coins(count: number, rateAt: (n: number) => number, seed: number): number[] {
  const random = randomFrom(seed)
  return Array.from({ length: count }, (_, n) => (random.uniform() < rateAt(n) ? 1 : 0))
}

describe('ADWIN', () => {
  it('has the mean of the last values of its width, whatever it has seen', () => {
    const value = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.array(value, { maxLength: 600, size: 'max' }), fc.nat(600), (values, at) => {
        const jumped = values.map((one, n) => (n < at ? one * 0.2 : 0.8 + one * 0.2))
        const adwin = new Adwin(0.002)
        for (const one of jumped) adwin.add(one)
        const kept = jumped.slice(jumped.length - adwin.width)
        expect(kept.length).toBe(adwin.width)
        const mean = kept.length > 0 ? kept.reduce((sum, one) => sum + one, 0) / kept.length : 0
        expect(adwin.mean).toBeCloseTo(mean, 9)
      }),
      { numRuns: 50 },
    )
  })

  it('keeps everything while nothing changes', () => {
    let cuts = 0
    for (let seed = 1; seed <= 5; seed++) {
      const adwin = new Adwin(0.002)
      for (const coin of coins(20_000, () => 0.3, seed)) cuts += adwin.add(coin) ? 1 : 0
    }
    expect(cuts).toBeLessThanOrEqual(1)
  })

  it('forgets what was before an abrupt change, soon after it, in one cut', () => {
    for (const [before, after] of [
      [0.3, 0.5],
      [0.3, 0.1],
      [0.05, 0.15],
    ] as const) {
      const adwin = new Adwin(0.002)
      const stream = coins(12_000, (n) => (n < 10_000 ? before : after), 3)
      const cuts = stream.flatMap((coin, at) => {
        const cut = adwin.add(coin)
        return cut === undefined ? [] : [{ at, ...cut }]
      })
      expect(cuts.length).toBe(1)
      expect(cuts[0]?.at).toBeGreaterThan(10_000)
      expect(cuts[0]?.at).toBeLessThan(11_000)
      expect(cuts[0]?.before).toBeCloseTo(before, 1)
      expect(Math.sign(cuts[0]!.after - cuts[0]!.before)).toBe(Math.sign(after - before))
      expect(adwin.width).toBeLessThan(2_300)
      expect(adwin.mean).toBeCloseTo(after, 1)
    }
  })

  it('goes on from a snapshot as if nothing had been', () => {
    const stream = coins(4_000, (n) => (n < 2_000 ? 0.2 : 0.6), 5)
    for (const at of [0, 1, 1_000, 2_050]) {
      const whole = new Adwin(0.002)
      const first = new Adwin(0.002)
      for (const coin of stream.slice(0, at)) {
        whole.add(coin)
        first.add(coin)
      }
      const writer = new ByteWriter()
      first.write(writer)
      const restored = new Adwin(0.002)
      restored.read(new ByteReader(writer.finish()))
      for (const coin of stream.slice(at)) expect(restored.add(coin)).toEqual(whole.add(coin))
      expect(restored.width).toBe(whole.width)
    }
  })
})
