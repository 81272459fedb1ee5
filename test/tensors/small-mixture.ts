/** @file A small multi-gate mixture of experts on the tape: the shape of a real step, for tests of whole passes. */

import { randomFrom } from '../../src/random.ts'
import type { Engine, FloatArray } from '../../src/tensors/engine.ts'
import { sizeOf } from '../../src/tensors/engine.ts'
import { Tape, type Var } from '../../src/tensors/tape.ts'

/** Sizes of the net. */
export interface MixtureSize {
  readonly batch: number
  readonly inputs: number
  readonly experts: number
  readonly hidden: number
  readonly output: number
  readonly tasks: number
}

/** What one step gave. */
export interface MixtureStep {
  readonly losses: readonly number[]
  readonly gram: Float64Array
  /** By parameter name and for the input 'x'. */
  readonly gradients: ReadonlyMap<string, FloatArray>
}

interface Leaf {
  readonly values: Float64Array
  readonly shape: readonly number[]
}

/** Parameters and a batch, drawn from a seed; the same for every engine. */
export function drawMixture(size: MixtureSize, seed: number): ReadonlyMap<string, Leaf> {
  const random = randomFrom(seed)
  const leaves = new Map<string, Leaf>()
  const draw = (name: string, shape: readonly number[], scale: number): void => {
    const values = Float64Array.from({ length: sizeOf(shape) }, () =>
      Math.fround(scale * random.normal()),
    )
    leaves.set(name, { values, shape })
  }
  draw('x', [size.batch, size.inputs], 1)
  for (let k = 0; k < size.experts; k++) {
    draw(`expert ${k} weight`, [size.inputs, size.hidden], size.inputs ** -0.5)
    draw(`expert ${k} bias`, [size.hidden], 0.1)
    draw(`expert ${k} output`, [size.hidden, size.output], size.hidden ** -0.5)
    draw(`expert ${k} output bias`, [size.output], 0.1)
  }
  for (let t = 0; t < size.tasks; t++) {
    draw(`gate ${t}`, [size.inputs, size.experts], size.inputs ** -0.5)
    draw(`tower ${t}`, [size.output, 1], size.output ** -0.5)
  }
  return leaves
}

/** Labels and masks of one task, the same for every engine. */
export function labelsOf(
  batch: number,
  task: number,
): { labels: Float64Array; weights: Float64Array } {
  const labels = Float64Array.from({ length: batch }, (_, i) =>
    (i * 7 + task * 3) % 5 < 2 ? 1 : 0,
  )
  const weights = Float64Array.from({ length: batch }, (_, i) => ((i + task) % 4 === 0 ? 0 : 1))
  return { labels, weights }
}

/** A forward pass: the tape, its variables by name, expert outputs (the cut) and one loss per task. */
export function forwardMixture(
  engine: Engine,
  size: MixtureSize,
  leaves: ReadonlyMap<string, Leaf>,
): { tape: Tape; at: (name: string) => Var; cut: readonly Var[]; losses: readonly Var[] } {
  const tape = new Tape(engine)
  const vars = new Map<string, Var>()
  for (const [name, { values, shape }] of leaves) vars.set(name, tape.leaf(values, shape))
  const at = (name: string): Var => vars.get(name)!
  const relu = { activation: 'relu' } as const
  const cut = Array.from({ length: size.experts }, (_, k) => {
    const hidden = tape.linear(at('x'), at(`expert ${k} weight`), at(`expert ${k} bias`), relu)
    return tape.linear(hidden, at(`expert ${k} output`), at(`expert ${k} output bias`), relu)
  })
  const losses = Array.from({ length: size.tasks }, (_, t) => {
    const gates = tape.softmax(tape.linear(at('x'), at(`gate ${t}`)))
    const logits = tape.linear(tape.mix(gates, cut), at(`tower ${t}`))
    const { labels, weights } = labelsOf(size.batch, t)
    return tape.bceWithLogits(logits, labels, weights)
  })
  return { tape, at, cut, losses }
}

/** One step in two phases: every task down to the cut, their Gram matrix, then the trunk once. */
export function stepAtCut(
  engine: Engine,
  size: MixtureSize,
  leaves: ReadonlyMap<string, Leaf>,
  coefficients: readonly number[],
): MixtureStep {
  const { tape, at, cut, losses } = forwardMixture(engine, size, leaves)
  const gradients = new Map<string, FloatArray>()
  const atCut = losses.map((of, t) => {
    const own = [`gate ${t}`, `tower ${t}`]
    const wrt = [...cut, at('x'), ...own.map(at)]
    const found = tape.backward([{ of }], wrt, { stopAtWrt: true })
    own.forEach((name, i) => {
      const scaled = tape.combine(
        [found.slice(cut.length + 1 + i, cut.length + 2 + i)],
        [coefficients[t]!],
      )
      gradients.set(name, tape.gradientValues(scaled[0], at(name)))
    })
    return found.slice(0, cut.length + 1)
  })
  const gram = tape.gramOf(atCut.map((found) => found.slice(0, cut.length)))
  const combined = tape.combine(atCut, coefficients)
  const seeds = [...cut, at('x')].flatMap((of, i) => {
    const cotangent = combined[i]
    return cotangent === undefined ? [] : [{ of, cotangent }]
  })
  const trunk = [...leaves.keys()].filter((name) => name === 'x' || name.startsWith('expert'))
  const found = tape.backward(seeds, trunk.map(at))
  trunk.forEach((name, i) => {
    gradients.set(name, tape.gradientValues(found[i], at(name)))
  })
  const step = { losses: losses.map((loss) => tape.value(loss)[0]!), gram, gradients }
  tape.dispose()
  return step
}

/** The same gradients by one backward pass from all losses through everything. */
export function stepAtOnce(
  engine: Engine,
  size: MixtureSize,
  leaves: ReadonlyMap<string, Leaf>,
  coefficients: readonly number[],
): ReadonlyMap<string, FloatArray> {
  const { tape, at, losses } = forwardMixture(engine, size, leaves)
  const names = [...leaves.keys()]
  const seeds = losses.map((of, t) => ({ of, cotangent: Float64Array.of(coefficients[t]!) }))
  const found = tape.backward(seeds, names.map(at))
  const gradients = new Map(names.map((name, i) => [name, tape.gradientValues(found[i], at(name))]))
  tape.dispose()
  return gradients
}
