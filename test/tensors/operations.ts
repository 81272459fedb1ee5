/** @file The tape's operations as cases that every engine is tested with: arguments of drawn shapes and a forward function. */

import fc from 'fast-check'
import type { Activation } from '../../src/tensors/engine.ts'
import { sizeOf } from '../../src/tensors/engine.ts'
import type { Tape, Var } from '../../src/tensors/tape.ts'
import type { Argument } from '../oracle/finite-difference.ts'

/** One application of an operation: what goes in and how it is applied. */
export interface Application {
  readonly inputs: readonly Argument[]
  readonly forward: (tape: Tape, inputs: readonly Var[]) => Var
}

type Shape = readonly number[]

const axis = fc.integer({ min: 1, max: 7 })
const anyShape: fc.Arbitrary<Shape> = fc.array(axis, { minLength: 1, maxLength: 3 })

/** Values away from 0, where relu has no derivative and log no value. */
function valuesOf(shape: Shape, positive = false): fc.Arbitrary<Argument> {
  const size = sizeOf(shape)
  const magnitude = fc.integer({ min: 100, max: 2000 }).map((n) => n / 1000)
  const signed = fc
    .tuple(magnitude, fc.boolean())
    .map(([m, minus]) => (minus && !positive ? -m : m))
  return fc
    .array(signed, { minLength: size, maxLength: size })
    .map((values) => ({ values: Float64Array.from(values), shape }))
}

function application(
  shapes: fc.Arbitrary<readonly Shape[]>,
  forward: Application['forward'],
  positive = false,
): fc.Arbitrary<Application> {
  return shapes
    .chain((all) => fc.tuple(...all.map((shape) => valuesOf(shape, positive))))
    .map((inputs) => ({ inputs, forward }))
}

/** The second operand's shape: the first's, a row, a column, one number. */
const broadcast: fc.Arbitrary<readonly Shape[]> = anyShape.chain((a) =>
  fc
    .constantFrom<Shape>(a, [a.at(-1) ?? 1], [...a.slice(0, -1), 1], [1], [])
    .map((b): readonly Shape[] => [a, b]),
)

const one = anyShape.map((shape): readonly Shape[] => [shape])

const productOptions = fc.record({ transposeA: fc.boolean(), transposeB: fc.boolean() })

function product(batched: boolean): fc.Arbitrary<Application> {
  return fc.tuple(axis, axis, axis, axis, productOptions).chain(([batch, m, k, n, options]) => {
    const a = options.transposeA ? [k, m] : [m, k]
    const b = options.transposeB ? [n, k] : [k, n]
    const shapes = batched
      ? [
          [batch, ...a],
          [batch, ...b],
        ]
      : [a, b]
    return application(fc.constant(shapes), (tape, [x, y]) =>
      batched ? tape.batchMatMul(x!, y!, options) : tape.matMul(x!, y!, options),
    )
  })
}

function linear(activation: Activation | undefined): fc.Arbitrary<Application> {
  return fc
    .tuple(fc.array(axis, { minLength: 0, maxLength: 2 }), axis, axis, fc.boolean())
    .chain(([rows, k, n, biased]) => {
      const shapes: Shape[] = [[...rows, k], [k, n], ...(biased ? [[n]] : [])]
      const options = activation === undefined ? {} : { activation, slope: 0.1 }
      return application(fc.constant(shapes), (tape, [x, w, b]) => tape.linear(x!, w!, b, options))
    })
}

const mix = fc.tuple(axis, axis, axis).chain(([batch, experts, width]) => {
  const shapes: Shape[] = [[batch, experts], ...new Array<Shape>(experts).fill([batch, width])]
  return application(fc.constant(shapes), (tape, [gates, ...rest]) => tape.mix(gates!, rest))
})

const crossEntropy = fc
  .tuple(axis, fc.boolean())
  .chain(([batch, column]) => {
    const shape = column ? [batch, 1] : [batch]
    const labels = fc.array(fc.constantFrom(0, 1, 0.3), { minLength: batch, maxLength: batch })
    const weights = fc.array(fc.constantFrom(0, 1, 0.5, 2), { minLength: batch, maxLength: batch })
    return fc.tuple(valuesOf(shape), labels, weights)
  })
  .map(
    ([logits, labels, weights]): Application => ({
      inputs: [logits],
      forward: (tape, [z]) =>
        tape.bceWithLogits(z!, Float64Array.from(labels), Float64Array.from(weights)),
    }),
  )

const concat = fc
  .tuple(fc.array(axis, { maxLength: 2 }), fc.array(axis, { minLength: 1, maxLength: 4 }))
  .chain(([rows, widths]) =>
    application(fc.constant(widths.map((width) => [...rows, width])), (tape, xs) =>
      tape.concat(xs),
    ),
  )

const slice = fc
  .tuple(fc.array(axis, { maxLength: 2 }), axis, axis, axis)
  .chain(([rows, before, size, after]) =>
    application(fc.constant([[...rows, before - 1 + size + after - 1]]), (tape, [x]) =>
      tape.slice(x!, before - 1, size),
    ),
  )

const transpose = fc
  .array(axis, { minLength: 2, maxLength: 3 })
  .chain((shape) => application(fc.constant([shape]), (tape, [x]) => tape.transpose(x!)))

/** Every operation of the tape that has a gradient, by name. */
export const operations: Readonly<Record<string, fc.Arbitrary<Application>>> = {
  linear: linear(undefined),
  'linear with relu': linear('relu'),
  'linear with leakyRelu': linear('leakyRelu'),
  'linear with sigmoid': linear('sigmoid'),
  matMul: product(false),
  batchMatMul: product(true),
  add: application(broadcast, (tape, [a, b]) => tape.add(a!, b!)),
  sub: application(broadcast, (tape, [a, b]) => tape.sub(a!, b!)),
  mul: application(broadcast, (tape, [a, b]) => tape.mul(a!, b!)),
  scale: application(one, (tape, [x]) => tape.scale(x!, -1.7)),
  addScalar: application(one, (tape, [x]) => tape.addScalar(x!, 0.4)),
  relu: application(one, (tape, [x]) => tape.relu(x!)),
  leakyRelu: application(one, (tape, [x]) => tape.leakyRelu(x!, 0.2)),
  sigmoid: application(one, (tape, [x]) => tape.sigmoid(x!)),
  exp: application(one, (tape, [x]) => tape.exp(x!)),
  log: application(one, (tape, [x]) => tape.log(x!), true),
  sin: application(one, (tape, [x]) => tape.sin(x!)),
  softplus: application(one, (tape, [x]) => tape.softplus(x!)),
  softmax: application(one, (tape, [x]) => tape.softmax(x!)),
  concat,
  slice,
  reshape: application(one, (tape, [x]) => tape.reshape(x!, [sizeOf(x!.shape), 1])),
  transpose,
  sum: application(one, (tape, [x]) => tape.sum(x!)),
  sumLast: application(one, (tape, [x]) => tape.sumLast(x!)),
  mix,
  bceWithLogits: crossEntropy,
}
