import { describe, expect, test } from 'vitest'
import { ctfmSpecs, distil, gkdSpecs, mineFeatures } from '../../src/model/dml.ts'
import type { ParameterSpec } from '../../src/model/model.ts'
import { Parameters } from '../../src/model/parameters.ts'
import { randomFrom } from '../../src/random.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { Tape, type Var } from '../../src/tensors/tape.ts'

const ROWS = 4
const WIDTH = 3

/** A tape with random leaves and random parameters of the specs. */
function setUp(specs: readonly ParameterSpec[], tasks: number) {
  const tape = new Tape(plainEngine('float64'))
  const random = randomFrom(11)
  const normals = (count: number): Float64Array =>
    Float64Array.from({ length: count }, () => random.normal())
  const leaf = (columns: number): Var => tape.leaf(normals(ROWS * columns), [ROWS, columns])
  const store = new Parameters(specs, 5)
  const leaves = new Map(
    specs.map(({ name, shape }) => [
      name,
      tape.leaf(
        Float64Array.from(store.view(name), (v) => v + 0.5 * random.normal()),
        shape,
      ),
    ]),
  )
  const parameter = (name: string): Var => leaves.get(name)!
  return { tape, parameter, inputs: Array.from({ length: tasks }, () => leaf(WIDTH)), leaf }
}

/** True where the loss (the sum) of output t has a gradient other than exact zeros in input j. */
function reach(tape: Tape, outputs: readonly Var[], inputs: readonly Var[]): boolean[][] {
  return outputs.map((output) => {
    const gradients = tape.backward([{ of: tape.sum(output) }], inputs)
    return inputs.map((input, j) => tape.gradientValues(gradients[j], input).some((g) => g !== 0))
  })
}

const onlyOwn = (tasks: number): boolean[][] =>
  Array.from({ length: tasks }, (_, t) => Array.from({ length: tasks }, (_, j) => t === j))

describe('cross task feature mining', () => {
  test('keeps every loss out of the tower inputs of other tasks', () => {
    const { tape, parameter, inputs } = setUp(ctfmSpecs(3, WIDTH), 3)
    const mined = mineFeatures(tape, parameter, inputs, true)
    expect(reach(tape, mined, inputs)).toEqual(onlyOwn(3))
  })

  test('lets them in when it is live, with the same values', () => {
    const { tape, parameter, inputs } = setUp(ctfmSpecs(3, WIDTH), 3)
    const stopped = mineFeatures(tape, parameter, inputs, true)
    const live = mineFeatures(tape, parameter, inputs, false)
    expect(live.map((h) => tape.value(h))).toEqual(stopped.map((h) => tape.value(h)))
    expect(reach(tape, live, inputs).flat()).toEqual(new Array(9).fill(true))
  })

  test('of one task adds its own value map', () => {
    const { tape, parameter, inputs } = setUp(ctfmSpecs(1, WIDTH), 1)
    const [h] = inputs
    const [mined] = mineFeatures(tape, parameter, inputs, true)
    const x = tape.add(h!, tape.reshape(parameter('ctfm.taskEmbedding'), [WIDTH]))
    const value = tape.linear(x, parameter('ctfm.value.weight'), parameter('ctfm.value.bias'), {
      activation: 'relu',
    })
    const expected = tape.value(tape.add(h!, value))
    tape.value(mined!).forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i]!, 12)
    })
  })
})

describe('global knowledge distillation', () => {
  const widths = [WIDTH, 2]

  test('keeps every loss out of the towers of other tasks', () => {
    const { tape, parameter, leaf } = setUp(gkdSpecs(widths, 2), 0)
    const hidden = widths.map((m) => leaf(m))
    const towers = hidden.map((z) => ({
      hidden: z,
      logit: tape.reshape(tape.sumLast(z), [ROWS, 1]),
    }))
    expect(reach(tape, distil(tape, parameter, towers, 2), hidden)).toEqual(onlyOwn(2))
  })

  test('starts as the plain towers', () => {
    const specs = gkdSpecs(widths, 1)
    const { tape, leaf } = setUp(specs, 0)
    const store = new Parameters(specs, 5)
    const towers = widths.map((m) => ({ hidden: leaf(m), logit: leaf(1) }))
    const shapes = new Map(specs.map(({ name, shape }) => [name, shape]))
    const initial = (name: string): Var => tape.leaf(store.view(name), shapes.get(name) ?? [])
    const logits = distil(tape, initial, towers, 1)
    expect(logits.map((z) => tape.value(z))).toEqual(towers.map(({ logit }) => tape.value(logit)))
  })
})
