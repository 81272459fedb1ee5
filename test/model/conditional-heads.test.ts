import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyConditions, resolveConditions } from '../../src/model/conditional-heads.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { Tape } from '../../src/tensors/tape.ts'

const TASKS = ['click', 'like', 'buy']
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z))

describe('conditional heads', () => {
  test('give the logit of the product of probabilities', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -8, max: 8, noNaN: true }),
        fc.double({ min: -8, max: 8, noNaN: true }),
        (a, b) => {
          const tape = new Tape(plainEngine('float64'))
          const logits = [a, b].map((z) => tape.leaf(Float64Array.of(z), [1, 1]))
          const [, product] = applyConditions(tape, logits, [[1, 0]])
          const z = product === undefined ? Number.NaN : tape.value(product)[0]!
          expect(sigmoid(z)).toBeCloseTo(sigmoid(a) * sigmoid(b), 12)
        },
      ),
    )
  })

  test('stay finite where the probabilities round to 0 or 1', () => {
    const tape = new Tape(plainEngine('float32'))
    const logits = [-90, 90].map((z) => tape.leaf(Float32Array.of(z), [1, 1]))
    for (const conditions of [[[1, 0]], [[0, 1]]] as const) {
      for (const logit of applyConditions(tape, logits, conditions)) {
        expect(Number.isFinite(tape.value(logit)[0])).toBe(true)
      }
    }
  })

  test('are applied so that a chain multiplies all the way', () => {
    const named = [
      { task: 'buy', given: 'like' },
      { task: 'like', given: 'click' },
    ]
    const conditions = resolveConditions(named, TASKS, [])
    const tape = new Tape(plainEngine('float64'))
    const raw = [0.3, -0.2, 1.1]
    const logits = raw.map((z) => tape.leaf(Float64Array.of(z), [1, 1]))
    const last = applyConditions(tape, logits, conditions)[2]
    const expected = raw.reduce((product, z) => product * sigmoid(z), 1)
    expect(last === undefined ? 0 : sigmoid(tape.value(last)[0]!)).toBeCloseTo(expected, 12)
  })

  test.each([
    { named: [{ task: 'share', given: 'click' }], says: /task share/ },
    { named: [{ task: 'click', given: 'click' }], says: /circle/ },
    {
      named: [
        { task: 'like', given: 'buy' },
        { task: 'buy', given: 'like' },
      ],
      says: /circle/,
    },
    {
      named: [
        { task: 'buy', given: 'like' },
        { task: 'buy', given: 'click' },
      ],
      says: /twice/,
    },
  ])('refuse $named', ({ named, says }) => {
    expect(() => resolveConditions(named, TASKS, [])).toThrow(says)
  })
})
