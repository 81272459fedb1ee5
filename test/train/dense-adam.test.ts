/** @file Dense Adam against the algorithm as its paper prints it, in float64 and with bias-corrected moments written out. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AdamOptions, DenseAdam } from '../../src/train/dense-adam.ts'

const OPTIONS: AdamOptions = { learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 }

/** Kingma and Ba 2015, algorithm 1, on one number. */
function oracle(gradients: readonly number[], start: number, options: AdamOptions): number {
  const { learningRate, beta1, beta2, epsilon } = options
  let theta = start
  let m = 0
  let v = 0
  gradients.forEach((g, i) => {
    const t = i + 1
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    const mHat = m / (1 - beta1 ** t)
    const vHat = v / (1 - beta2 ** t)
    theta -= (learningRate * mHat) / (Math.sqrt(vHat) + epsilon)
  })
  return theta
}

const gradient = fc.float({ noNaN: true, min: -100, max: 100 })

test('follows its paper on any history of gradients (seed 5)', () => {
  fc.assert(
    fc.property(fc.array(gradient, { minLength: 1, maxLength: 40 }), gradient, (history, start) => {
      const adam = new DenseAdam(OPTIONS)
      const values = Float32Array.of(start)
      for (const g of history) adam.update('w', values, [g])
      const wanted = oracle(history, Math.fround(start), OPTIONS)
      expect(Math.abs(values[0]! - wanted)).toBeLessThan(1e-4 * (1 + Math.abs(start)))
    }),
    { seed: 5, numRuns: 200 },
  )
})

test('scales the gradient before it enters the moments', () => {
  const scaled = new DenseAdam(OPTIONS)
  const plain = new DenseAdam(OPTIONS)
  const a = new Float32Array(3)
  const b = new Float32Array(3)
  scaled.update('w', a, [4, -8, 2], { scale: 0.25 })
  plain.update('w', b, [1, -2, 0.5])
  expect(a).toEqual(b)
  expect(scaled.snapshot()).toEqual(plain.snapshot())
})

test('moves by half with half the learning rate, and keeps the same moments', () => {
  const half = new DenseAdam(OPTIONS)
  const whole = new DenseAdam(OPTIONS)
  const [a, b] = [new Float32Array(2), new Float32Array(2)]
  half.update('w', a, [4, -8], { factor: 0.5 })
  whole.update('w', b, [4, -8])
  for (const i of [0, 1]) expect(a[i]).toBeCloseTo(b[i]! / 2, 7)
  expect(half.snapshot()).toEqual(whole.snapshot())
})

test('a parameter without a gradient keeps its moments and its own step count', () => {
  const together = new DenseAdam(OPTIONS)
  const alone = new DenseAdam(OPTIONS)
  const w = new Float32Array(2)
  const other = new Float32Array(2)
  const single = new Float32Array(2)
  for (let step = 0; step < 5; step++) {
    together.update('often', other, [1, -1])
    if (step % 2 === 0) {
      together.update('rare', w, [0.5, step])
      alone.update('rare', single, [0.5, step])
    }
  }
  expect(w).toEqual(single)
})

test('saved at any step it has the same future, whatever the order in which names came', () => {
  const one = new DenseAdam(OPTIONS)
  const two = new DenseAdam(OPTIONS)
  const values = (): Record<string, Float32Array> => ({
    a: new Float32Array(2),
    b: new Float32Array(3),
  })
  const ones = values()
  const twos = values()
  one.update('a', ones.a!, [1, 2])
  one.update('b', ones.b!, [3, 4, 5])
  two.update('b', twos.b!, [3, 4, 5])
  two.update('a', twos.a!, [1, 2])
  expect(two.snapshot()).toEqual(one.snapshot())
  const copy = new DenseAdam(OPTIONS)
  copy.restore(one.snapshot().slice())
  const copies = { a: ones.a!.slice(), b: ones.b!.slice() }
  one.update('a', ones.a!, [-1, 7])
  copy.update('a', copies.a, [-1, 7])
  expect(copies.a).toEqual(ones.a)
  expect(copy.snapshot()).toEqual(one.snapshot())
})

test('moments of another shape are refused by the name of the parameter', () => {
  const adam = new DenseAdam(OPTIONS)
  adam.update('w', new Float32Array(2), [1, 2])
  expect(() => adam.update('w', new Float32Array(3), [1, 2, 3])).toThrow(
    expect.objectContaining({ code: 'BAD_STATE', message: expect.stringContaining('parameter w') }),
  )
})
