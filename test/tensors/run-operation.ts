/** @file Runs one application on one engine: its value, and its gradients under a fixed non-uniform cotangent. */

import type { Engine, FloatArray } from '../../src/tensors/engine.ts'
import { Tape } from '../../src/tensors/tape.ts'
import type { Application } from './operations.ts'

/** A cotangent without symmetry, so that swapped or dropped elements show. */
export function cotangentOf(size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => Math.cos(1 + 1.3 * i))
}

/** sum of cotangent * output: the scalar whose gradient `gradientsOn` takes. */
export function scalarOn(
  engine: Engine,
  application: Application,
  point: readonly FloatArray[],
): number {
  const { value } = valueOn(engine, application, point)
  const cotangent = cotangentOf(value.length)
  return Float64Array.from(value).reduce((total, y, i) => total + y * cotangent[i]!, 0)
}

/** The output and its shape. */
export function valueOn(
  engine: Engine,
  { inputs, forward }: Application,
  point: readonly FloatArray[],
): { value: FloatArray; shape: readonly number[] } {
  const tape = new Tape(engine)
  const output = forward(
    tape,
    inputs.map(({ shape }, i) => tape.leaf(point[i]!, shape)),
  )
  const result = { value: tape.value(output), shape: output.shape }
  tape.dispose()
  return result
}

/** Gradients of `scalarOn` by every input. */
export function gradientsOn(engine: Engine, { inputs, forward }: Application): FloatArray[] {
  const tape = new Tape(engine)
  const leaves = inputs.map(({ values, shape }) => tape.leaf(values, shape))
  const output = forward(tape, leaves)
  const cotangent = cotangentOf(tape.value(output).length)
  const gradients = tape
    .backward([{ of: output, cotangent }], leaves)
    .map((gradient, i) => tape.gradientValues(gradient, leaves[i]!))
  tape.dispose()
  return gradients
}
