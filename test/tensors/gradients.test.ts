/** @file Every operation's vector-Jacobian product agrees with central differences on the float64 engine. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { Tape } from '../../src/tensors/tape.ts'
import { centralDifferences, largestError } from '../oracle/finite-difference.ts'
import { operations } from './operations.ts'
import { gradientsOn, scalarOn } from './run-operation.ts'

/** Central differences at step 1e-5 are good to about 1e-9 here; a wrong derivative is off by far more. */
const TOLERANCE = 1e-6

describe('the gradient agrees with central differences:', () => {
  for (const [name, applications] of Object.entries(operations)) {
    test(name, () => {
      const engine = plainEngine('float64')
      fc.assert(
        fc.property(applications, (application) => {
          const point = application.inputs.map((input) => input.values)
          const f = (at: readonly Float64Array[]): number => scalarOn(engine, application, at)
          const expected = centralDifferences(f, point)
          // A kink within the step makes the two one-sided slopes differ: no derivative to compare with.
          const finer = centralDifferences(f, point, 1e-6)
          fc.pre(largestError(finer, expected) < TOLERANCE)
          expect(largestError(gradientsOn(engine, application), expected)).toBeLessThan(TOLERANCE)
        }),
        { numRuns: 25 },
      )
      expect(engine.liveTensors()).toBe(0)
    })
  }
})

test('a wrong gradient would be noticed', () => {
  const engine = plainEngine('float64')
  const tape = new Tape(engine)
  const x = tape.leaf(Float64Array.of(0.5, -0.3), [2])
  const y = tape.sin(tape.stopGradient(x))
  const [gradient] = tape.backward([{ of: y, cotangent: Float64Array.of(1, 1) }], [x])
  const expected = centralDifferences(
    ([at]) => Math.sin(at![0]!) + Math.sin(at![1]!),
    [Float64Array.of(0.5, -0.3)],
  )
  expect(largestError([tape.gradientValues(gradient, x)], expected)).toBeGreaterThan(0.5)
})
