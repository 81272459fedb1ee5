import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PageHinkley } from '../../src/observe/page-hinkley.ts'
import { randomFrom } from '../../src/random.ts'

it('is the sum that its formula says, over the values since the last alarm', () => {
  const value = fc.double({ min: -5, max: 5, noNaN: true })
  const options = { delta: 0.1, threshold: 3, least: 5 }
  fc.assert(
    fc.property(fc.array(value, { maxLength: 200, size: 'max' }), (values) => {
      const test = new PageHinkley(options)
      let since: number[] = []
      for (const one of values) {
        since.push(one)
        const sum = slowSum(since, options)
        // Rounding may decide a tie.
        if (Math.abs(sum - options.threshold) < 1e-9) return
        expect(test.add(one) !== undefined).toBe(sum > options.threshold)
        if (sum > options.threshold) since = []
      }
    }),
    { numRuns: 50 },
  )
})

function slowSum(values: readonly number[], { delta, least }: { delta: number; least: number }) {
  let sum = 0
  for (const [n, x] of values.entries()) {
    if (n < least) continue
    const seen = values.slice(0, n + 1)
    const mean = seen.reduce((total, y) => total + y, 0) / seen.length
    const deviation = Math.sqrt(seen.reduce((total, y) => total + (y - mean) ** 2, 0) / seen.length)
    sum = Math.max(0, sum + (deviation > 0 ? (x - mean) / deviation : 0) - delta)
  }
  return sum
}

it('notices a mean that rises by one deviation within a hundred values, and says from where to where', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = randomFrom(seed)
    const test = new PageHinkley({ delta: 0.25, threshold: 24, least: 30 })
    const alarms: { at: number; before: number; after: number }[] = []
    for (let at = 0; at < 2_100; at++) {
      const shift = test.add(random.normal() + (at < 2_000 ? 0 : 1))
      if (shift !== undefined) alarms.push({ at, ...shift })
    }
    expect(alarms.length, `seed ${seed}`).toBe(1)
    expect(alarms[0]?.at).toBeGreaterThan(2_000)
    expect(Math.abs(alarms[0]?.before ?? 1)).toBeLessThan(0.1)
    expect(Math.abs((alarms[0]?.after ?? 0) - 1)).toBeLessThan(0.5)
  }
})
