/** @file A small world with a signal planted in it, and plain Adam on a model: does the model find it? */

import type { Model } from '../../src/model/model.ts'
import { Parameters, sizeOf } from '../../src/model/parameters.ts'
import { type Random, randomFrom } from '../../src/random.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { Tape, type Var } from '../../src/tensors/tape.ts'

const ROWS = 48
const STEPS = 80
const LEARNING_RATE = 0.03

/** Mean losses per task on the same rows before and after training. */
export interface Learned {
  readonly before: readonly number[]
  readonly after: readonly number[]
}

/** A click where one hidden direction of the input is positive, a conversion where a second one is too. */
export function learnsPlantedSignal(model: Model, seed: number): Learned {
  const random = randomFrom(seed)
  const columns = model.shape.fields * model.columnsPerField
  const input = normals(random, ROWS * columns)
  const dense = normals(random, ROWS * model.shape.dense)
  const click = plantedLabels(random, input, columns)
  const second = plantedLabels(random, input, columns)
  const conversion = click.map((y, row) => y * second[row]!)
  const parameters = new Parameters(model.parameters, seed)
  const adam = new PlainAdam(parameters.values.length)
  const losses: number[][] = []
  for (let step = 0; step <= STEPS; step++) {
    const tape = new Tape(plainEngine('float32'))
    const leaves = model.parameters.map(({ name, shape }) =>
      tape.leaf(parameters.view(name), shape),
    )
    const byName = new Map(model.parameters.map(({ name }, i) => [name, leaves[i]!]))
    const forward = model.forward(tape, (name) => byName.get(name)!, {
      x: tape.constant(input, [ROWS, columns]),
      ...(model.shape.dense > 0 ? { dense: tape.constant(dense, [ROWS, model.shape.dense]) } : {}),
      ...(model.wide ? { wide: tape.constant(new Float32Array(ROWS * 2), [ROWS, 2]) } : {}),
    })
    const ones = new Float32Array(ROWS).fill(1)
    const loss = [click, conversion].map((labels, task) =>
      tape.bceWithLogits(forward.logits[task]!, labels, ones),
    )
    losses.push(loss.map((value) => tape.value(value)[0]!))
    adam.step(parameters.values, flatGradient(tape, model, leaves, loss))
    tape.dispose()
  }
  return { before: losses[0]!, after: losses.at(-1)! }
}

function flatGradient(
  tape: Tape,
  model: Model,
  leaves: readonly Var[],
  losses: readonly Var[],
): Float32Array {
  const gradients = tape.backward(
    losses.map((of) => ({ of })),
    leaves,
  )
  const flat = new Float32Array(model.parameters.reduce((sum, spec) => sum + sizeOf(spec), 0))
  let at = 0
  gradients.forEach((gradient, i) => {
    const values = tape.gradientValues(gradient, leaves[i]!)
    flat.set(values, at)
    at += values.length
  })
  return flat
}

function normals(random: Random, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => random.normal())
}

function plantedLabels(random: Random, input: Float32Array, columns: number): Float32Array {
  const direction = normals(random, columns)
  return Float32Array.from({ length: ROWS }, (_, row) => {
    let score = 0.5 // more positives than negatives, so that the second label is not rare
    for (let i = 0; i < columns; i++) score += direction[i]! * input[row * columns + i]!
    return score > 0 ? 1 : 0
  })
}

/** Adam without options on one flat array. */
class PlainAdam {
  readonly #mean: Float64Array
  readonly #square: Float64Array
  #steps = 0

  constructor(size: number) {
    this.#mean = new Float64Array(size)
    this.#square = new Float64Array(size)
  }

  step(values: Float32Array, gradient: Float32Array): void {
    this.#steps++
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i]!
      const m = 0.9 * this.#mean[i]! + 0.1 * g
      const v = 0.999 * this.#square[i]! + 0.001 * g * g
      this.#mean[i] = m
      this.#square[i] = v
      const mHat = m / (1 - 0.9 ** this.#steps)
      const vHat = v / (1 - 0.999 ** this.#steps)
      values[i]! -= (LEARNING_RATE * mHat) / (Math.sqrt(vHat) + 1e-8)
    }
  }
}
