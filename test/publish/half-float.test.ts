/** @file binary16 against its definition: every pattern comes back, and every float32 goes to its nearest neighbour, ties to even. */

import { expect, test } from 'vitest'
import { fromHalf, toHalf } from '../../src/publish/half-float.ts'
import { randomFrom } from '../../src/random.ts'

/** The value of a finite pattern, by IEEE 754 section 3.4. */
function defined(half: number): number {
  const sign = half >> 15 === 0 ? 1 : -1
  const [exponent, fraction] = [(half >> 10) & 31, half & 1023]
  return exponent === 0
    ? sign * 2 ** -14 * (fraction / 1024)
    : sign * 2 ** (exponent - 15) * (1 + fraction / 1024)
}

test('every finite pattern is its value and comes back', () => {
  const finite = Array.from({ length: 2 ** 16 }, (_, half) => half).filter(
    (half) => ((half >> 10) & 31) !== 31,
  )
  expect(finite.filter((half) => !Object.is(fromHalf(half), defined(half)))).toEqual([])
  expect(finite.filter((half) => toHalf(fromHalf(half)) !== half)).toEqual([])
})

test('between two neighbours the nearer one is taken, and in the middle the even one', () => {
  for (let half = 0; half < 0x7bff; half += 7) {
    const [low, high] = [defined(half), defined(half + 1)]
    const middle = (low + high) / 2
    const even = half % 2 === 0 ? half : half + 1
    expect(toHalf(middle)).toBe(even)
    expect(toHalf(middle - (high - low) / 8)).toBe(half)
    expect(toHalf(-middle - (high - low) / 8)).toBe(0x8000 | (half + 1))
  }
})

test('what is too large is infinite, what is no number stays none, what is tiny is zero', () => {
  expect(fromHalf(toHalf(65_519))).toBe(65_504)
  expect(fromHalf(toHalf(65_520))).toBe(Number.POSITIVE_INFINITY)
  expect(fromHalf(toHalf(-1e38))).toBe(Number.NEGATIVE_INFINITY)
  expect(fromHalf(toHalf(Number.NEGATIVE_INFINITY))).toBe(Number.NEGATIVE_INFINITY)
  expect(fromHalf(toHalf(Number.NaN))).toBeNaN()
  expect(toHalf(2 ** -26)).toBe(0)
  expect(Object.is(fromHalf(toHalf(-1e-30)), -0)).toBe(true)
})

test('a value of usual size moves by at most 2^-11 of itself (seed 5)', () => {
  const random = randomFrom(5)
  const values = Array.from(
    { length: 10_000 },
    () => random.normal() * 10 ** (random.integer(7) - 3),
  )
  const off = values.filter(
    (value) =>
      Math.abs(value) >= 2 ** -14 &&
      Math.abs(fromHalf(toHalf(value)) - value) > Math.abs(value) * 2 ** -11,
  )
  expect(off).toEqual([])
})
