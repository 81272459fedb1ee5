/** @file Every float32 engine agrees with the plain float64 engine: per operation, and over a whole step. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import type { Tape, Var } from '../../src/tensors/tape.ts'
import { largestError } from '../oracle/finite-difference.ts'
import { openFloat32Engines } from './open-engines.ts'
import { operations } from './operations.ts'
import { gradientsOn, valueOn } from './run-operation.ts'
import { drawMixture, type MixtureStep, stepAtCut } from './small-mixture.ts'

/** Sums of at most 49 terms of size up to 4 in float32, whose rounding unit is 6e-8; about 1e-5 in the worst case. */
const OPERATION_TOLERANCE = 5e-5

/** Relative to max(1, |x|), over a whole forward and backward pass with sums of up to 96 terms. */
const STEP_TOLERANCE = 1e-4

const reference = plainEngine('float64')
const engines = await openFloat32Engines()
const size = { batch: 48, inputs: 40, experts: 4, hidden: 96, output: 24, tasks: 3 }

function numbersOf({ losses, gram, gradients }: MixtureStep): readonly ArrayLike<number>[] {
  return [losses, gram, ...gradients.values()]
}

for (const engine of engines) {
  describe(`${engine.name} agrees with plain-float64`, () => {
    for (const [name, applications] of Object.entries(operations)) {
      test(name, () => {
        fc.assert(
          fc.property(applications, (application) => {
            const point = application.inputs.map((input) => input.values)
            const found = valueOn(engine, application, point)
            const expected = valueOn(reference, application, point)
            expect(found.shape).toEqual(expected.shape)
            expect(largestError([found.value], [expected.value])).toBeLessThan(OPERATION_TOLERANCE)
            const error = largestError(
              gradientsOn(engine, application),
              gradientsOn(reference, application),
            )
            expect(error).toBeLessThan(OPERATION_TOLERANCE)
          }),
          { numRuns: 20 },
        )
        expect(engine.liveTensors()).toBe(0)
      })
    }

    test('on products large enough for its fastest path, in every transposition', () => {
      const [m, k, n] = [37, 45, 29]
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const shapes = [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]]
          const inputs = shapes.map((shape, i) => ({
            shape,
            values: Float64Array.from({ length: shape[0]! * shape[1]! }, (_, j) =>
              Math.sin(1 + j * (i + 1.7)),
            ),
          }))
          const point = inputs.map((input) => input.values)
          const application = {
            inputs,
            forward: (tape: Tape, [a, b]: readonly Var[]) =>
              tape.matMul(a!, b!, { transposeA, transposeB }),
          }
          const found = valueOn(engine, application, point)
          const expected = valueOn(reference, application, point)
          expect(found.shape).toEqual([m, n])
          expect(largestError([found.value], [expected.value])).toBeLessThan(OPERATION_TOLERANCE)
          const error = largestError(
            gradientsOn(engine, application),
            gradientsOn(reference, application),
          )
          expect(error).toBeLessThan(OPERATION_TOLERANCE)
        }
      }
    })

    test('on losses, Gram matrix and every gradient of a mixture of experts', () => {
      const leaves = drawMixture(size, 11)
      const coefficients = [0.5, 1, 1.5]
      const found = numbersOf(stepAtCut(engine, size, leaves, coefficients))
      const expected = numbersOf(stepAtCut(reference, size, leaves, coefficients))
      expect(largestError(found, expected)).toBeLessThan(STEP_TOLERANCE)
    })

    test('gives the same bytes for the same input', () => {
      const leaves = drawMixture(size, 5)
      const first = numbersOf(stepAtCut(engine, size, leaves, [1, 1, 1]))
      const second = numbersOf(stepAtCut(engine, size, leaves, [1, 1, 1]))
      expect(second).toEqual(first)
    })

    test('a NaN stays a NaN through a layer, so that a sick model can be seen', () => {
      const inputs = [
        { shape: [40, 30], values: new Float64Array(1200).fill(Number.NaN) },
        { shape: [30, 20], values: new Float64Array(600).fill(1) },
      ]
      const { value } = valueOn(
        engine,
        {
          inputs,
          forward: (tape, [x, w]) => tape.linear(x!, w!, undefined, { activation: 'relu' }),
        },
        inputs.map((input) => input.values),
      )
      expect(value.every(Number.isNaN)).toBe(true)
    })
  })
}
