/** @file What a tape promises beyond right numbers: persistence, cuts, exact zeros, several seeds, ownership, clear errors. */

import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { Tape } from '../../src/tensors/tape.ts'
import { largestError } from '../oracle/finite-difference.ts'
import { drawMixture, forwardMixture, stepAtCut, stepAtOnce } from './small-mixture.ts'

const size = { batch: 6, inputs: 5, experts: 3, hidden: 7, output: 4, tasks: 3 }

describe('backward', () => {
  test('gives the same bytes when it is called again, whatever ran in between', () => {
    const { tape, at, cut, losses } = forwardMixture(plainEngine(), size, drawMixture(size, 1))
    const wrt = [at('x'), at('expert 0 weight'), at('gate 1')]
    const once = tape.backward([{ of: losses[1]! }], wrt)
    const before = once.map((gradient, i) => tape.gradientValues(gradient, wrt[i]!))
    tape.backward([{ of: losses[0]! }], cut)
    const again = tape.backward([{ of: losses[1]! }], wrt)
    expect(again.map((gradient, i) => tape.gradientValues(gradient, wrt[i]!))).toEqual(before)
  })

  test('is linear in its seeds: several at once equal the sum of one by one', () => {
    const { tape, at, losses } = forwardMixture(plainEngine('float64'), size, drawMixture(size, 2))
    const x = at('x')
    const [together] = tape.backward(
      losses.map((of, t) => ({ of, cotangent: Float64Array.of(t + 1) })),
      [x],
    )
    const single = losses.map((of) => tape.backward([{ of }], [x]))
    const [summed] = tape.combine(single, [1, 2, 3])
    const error = largestError([tape.gradientValues(together, x)], [tape.gradientValues(summed, x)])
    expect(error).toBeLessThan(1e-14)
  })

  test('through a cut and then the trunk equals one pass through everything', () => {
    const leaves = drawMixture(size, 3)
    const coefficients = [0.3, 1, -2]
    const { gradients } = stepAtCut(plainEngine('float64'), size, leaves, coefficients)
    const expected = stepAtOnce(plainEngine('float64'), size, leaves, coefficients)
    for (const [name, gradient] of expected) {
      expect(largestError([gradients.get(name)!], [gradient]), name).toBeLessThan(1e-14)
    }
  })

  test('with stopAtWrt holds the other variables fixed', () => {
    const tape = new Tape(plainEngine('float64'))
    const x = tape.leaf(Float64Array.of(3), [])
    const y = tape.scale(x, 2)
    const z = tape.mul(y, x)
    const through = tape.backward([{ of: z }], [x, y])
    expect(through.map((gradient) => tape.gradientValues(gradient, x)[0])).toEqual([12, 3])
    const held = tape.backward([{ of: z }], [x, y], { stopAtWrt: true })
    expect(held.map((gradient) => tape.gradientValues(gradient, x)[0])).toEqual([6, 3])
  })

  test('counts a seed that is itself asked for, and a variable asked for twice', () => {
    const tape = new Tape(plainEngine('float64'))
    const x = tape.leaf(Float64Array.of(1, 2), [2])
    const y = tape.scale(x, 3)
    const seeds = [
      { of: y, cotangent: Float64Array.of(1, 10) },
      { of: x, cotangent: Float64Array.of(5, 5) },
    ]
    const found = tape
      .backward(seeds, [x, y, x])
      .map((gradient) => tape.gradientValues(gradient, x))
    expect(found.map((values) => [...values])).toEqual([
      [8, 35],
      [1, 10],
      [8, 35],
    ])
  })

  test('adds up every use of one variable', () => {
    const tape = new Tape(plainEngine('float64'))
    const x = tape.leaf(Float64Array.of(2), [1])
    const y = tape.add(tape.mul(x, x), tape.concat([x]))
    const [gradient] = tape.backward([{ of: y }], [x])
    expect([...tape.gradientValues(gradient, x)]).toEqual([5])
  })
})

describe('a stopped or missing path', () => {
  test('gives exactly zero, and leaves the value alone', () => {
    const tape = new Tape(plainEngine())
    const x = tape.leaf(Float32Array.of(1, -2, 3), [3])
    const w = tape.leaf(Float32Array.of(4, 5, 6), [3])
    const stopped = tape.stopGradient(x)
    const y = tape.mul(stopped, w)
    expect([...tape.value(stopped)]).toEqual([1, -2, 3])
    const [dx, dw, dStopped] = tape.backward(
      [{ of: y, cotangent: Float32Array.of(1, 1, 1) }],
      [x, w, stopped],
    )
    expect(dx).toBeUndefined()
    expect([...tape.gradientValues(dx, x)]).toEqual([0, 0, 0])
    expect([...tape.gradientValues(dw, w)]).toEqual([1, -2, 3])
    expect([...tape.gradientValues(dStopped, stopped)]).toEqual([4, 5, 6])
  })

  test('of one task to the private parameters of another is exactly zero', () => {
    const { tape, at, losses } = forwardMixture(plainEngine(), size, drawMixture(size, 4))
    const [own, other] = tape.backward([{ of: losses[0]! }], [at('tower 0'), at('tower 1')])
    expect(own).toBeDefined()
    expect(other).toBeUndefined()
  })

  test('counts as zeros in Gram matrix and combination', () => {
    const tape = new Tape(plainEngine('float64'))
    const x = tape.leaf(Float64Array.of(1, 2), [2])
    const y = tape.leaf(Float64Array.of(3, 4), [2])
    const first = tape.backward([{ of: tape.sum(tape.mul(x, y)) }], [x, y])
    const second = tape.backward([{ of: tape.sum(tape.mul(x, x)) }], [x, y])
    expect([...tape.gramOf([first, second])]).toEqual([30, 22, 22, 20])
    const [atX, atY] = tape.combine([first, second], [2, -1])
    expect([...tape.gradientValues(atX, x)]).toEqual([4, 4])
    expect([...tape.gradientValues(atY, y)]).toEqual([2, 4])
    expect(tape.combine([first, second], [0, 1])[1]).toBeUndefined()
  })
})

describe('bceWithLogits', () => {
  test('stays finite at extreme logits and ignores rows of weight 0 whatever they hold', () => {
    const tape = new Tape(plainEngine('float64'))
    const z = tape.leaf(Float64Array.of(800, -800, 0, Number.NaN), [4, 1])
    const labels = Float64Array.of(0, 1, 1, Number.NaN)
    const loss = tape.bceWithLogits(z, labels, Float64Array.of(1, 1, 2, 0))
    expect(tape.value(loss)[0]).toBeCloseTo((1600 + 2 * Math.LN2) / 4, 12)
    const [gradient] = tape.backward([{ of: loss }], [z])
    expect([...tape.gradientValues(gradient, z)]).toEqual([0.25, -0.25, -0.25, 0])
  })

  test('of a batch without labels is 0 with gradient 0, and a normaliser replaces the weights', () => {
    const tape = new Tape(plainEngine('float64'))
    const z = tape.leaf(Float64Array.of(0, 0), [2])
    const labels = Float64Array.of(1, 1)
    const none = tape.bceWithLogits(z, labels, new Float64Array(2))
    expect(tape.value(none)[0]).toBe(0)
    const [gradient] = tape.backward([{ of: none }], [z])
    expect([...tape.gradientValues(gradient, z)]).toEqual([0, 0])
    const scaled = tape.bceWithLogits(z, labels, Float64Array.of(1, 1), { normalizer: 8 })
    expect(tape.value(scaled)[0]).toBeCloseTo((2 * Math.LN2) / 8, 14)
  })
})

describe('ownership', () => {
  test('a disposed tape leaves nothing, and a resident tensor outlives it', () => {
    const engine = plainEngine()
    const weight = engine.upload(Float32Array.of(1, 2), [2, 1])
    const tape = new Tape(engine)
    const w = tape.resident(weight)
    const x = tape.leaf(Float32Array.of(3, 4), [1, 2])
    const y = tape.linear(x, w)
    tape.backward([{ of: y }], [w, x])
    tape.dispose()
    expect(engine.liveTensors()).toBe(1)
    expect([...engine.read(weight)]).toEqual([1, 2])
  })

  test('values read are copies that later work does not change', () => {
    const engine = plainEngine()
    const first = new Tape(engine)
    const values = first.value(first.scale(first.leaf(Float32Array.of(1, 2), [2]), 2))
    first.dispose()
    const second = new Tape(engine)
    second.scale(second.leaf(Float32Array.of(7, 8), [2]), 2)
    expect([...values]).toEqual([2, 4])
  })

  test('uploaded values are copies: changing the array afterwards changes nothing', () => {
    const tape = new Tape(plainEngine())
    const values = Float32Array.of(1, 2)
    const x = tape.leaf(values, [2])
    values[0] = 9
    expect([...tape.value(x)]).toEqual([1, 2])
  })
})

describe('misuse is told before a kernel runs:', () => {
  const tape = new Tape(plainEngine())
  const matrix = tape.leaf(new Float32Array(6), [2, 3])
  const row = tape.leaf(new Float32Array(4), [4])
  const foreign = new Tape(plainEngine()).leaf(new Float32Array(6), [2, 3])
  const cases: Readonly<Record<string, () => unknown>> = {
    'too few values': () => tape.leaf(new Float32Array(5), [2, 3]),
    'inner axes that differ': () => tape.matMul(matrix, matrix),
    'a row of another width': () => tape.add(matrix, row),
    'a slice outside the axis': () => tape.slice(matrix, 2, 2),
    'another size': () => tape.reshape(matrix, [4]),
    'a variable of another tape': () => tape.relu(foreign),
    'a loss that is no scalar without a cotangent': () => tape.backward([{ of: matrix }], [matrix]),
    'a slope outside [0, 1)': () => tape.leakyRelu(matrix, -0.5),
    'a label for each logit missing': () =>
      tape.bceWithLogits(row, new Float32Array(3), new Float32Array(3)),
    'gates that do not match the experts': () => tape.mix(matrix, [matrix]),
    'parts with other rows': () => tape.concat([matrix, row]),
    'a bias of another width': () =>
      tape.linear(matrix, tape.leaf(new Float32Array(6), [3, 2]), row),
  }
  for (const [name, misuse] of Object.entries(cases)) {
    test(name, () => {
      expect(misuse).toThrow(MillraceError)
      expect(misuse).toThrow(expect.objectContaining({ code: 'USAGE' }))
    })
  }

  test('a tensor disposed twice', () => {
    const engine = plainEngine()
    const tensor = engine.upload(Float32Array.of(1), [])
    engine.dispose(tensor)
    expect(() => engine.dispose(tensor)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })
})
