/** @file One model on one small batch, as the model contract looks at it: random parameters, inputs, labels and losses on a tape. */

import { buildModel } from '../../src/model/build-model.ts'
import type { Forward, Model } from '../../src/model/model.ts'
import { modelOptions } from '../../src/model/options.ts'
import { Parameters } from '../../src/model/parameters.ts'
import { type Random, randomFrom } from '../../src/random.ts'
import type { Engine } from '../../src/tensors/engine.ts'
import { Tape, type Var } from '../../src/tensors/tape.ts'

/** A model to check: `options` is a `model` section. */
export interface ModelCase {
  readonly name: string
  readonly tasks: number
  readonly dense: number
  readonly options: Readonly<Record<string, unknown>>
}

export const FIELDS = 3
export const ROWS = 5

/** The model of a case; tasks are called task-0 onwards. */
export function modelOf({ tasks, dense, options }: ModelCase): Model {
  const names = Array.from({ length: tasks }, (_, task) => `task-${task}`)
  return buildModel(modelOptions.parse(options), { tasks: names, fields: FIELDS, dense })
}

/** Arrays by name: the parameters, and `x`, `dense`, `wide` as the model asks for them. */
export type Values = ReadonlyMap<string, { values: Float64Array; shape: readonly number[] }>

/** Initial values with noise on top, so that what starts at 0 is not 0 in the tests, and normal inputs. */
export function randomValues(model: Model, seed: number): Values {
  const random = randomFrom(seed)
  const start = new Parameters(model.parameters, seed)
  const values = new Map<string, { values: Float64Array; shape: readonly number[] }>()
  for (const { name, shape } of model.parameters) {
    values.set(name, {
      values: Float64Array.from(start.view(name), (value) => value + 0.3 * random.normal()),
      shape,
    })
  }
  const { fields, dense, tasks } = model.shape
  const input = (name: string, columns: number): void => {
    values.set(name, { values: normals(random, ROWS * columns), shape: [ROWS, columns] })
  }
  input('x', fields * model.columnsPerField)
  if (dense > 0) input('dense', dense)
  if (model.wide) input('wide', tasks.length)
  return values
}

function normals(random: Random, count: number): Float64Array {
  return Float64Array.from({ length: count }, () => random.normal())
}

/** Random labels of a task: [ROWS] of 0 and 1. */
export function randomLabels(task: number, seed: number): Float64Array {
  const random = randomFrom(seed * 100 + task)
  return Float64Array.from({ length: ROWS }, () => Math.round(random.uniform()))
}

/** A forward pass with the leaves it was made from. */
export interface CasePass {
  readonly tape: Tape
  readonly leaves: ReadonlyMap<string, Var>
  readonly forward: Forward
}

/** Runs the model on `values`. */
export function runCase(model: Model, values: Values, tape: Tape): CasePass {
  const leaves = new Map<string, Var>()
  for (const [name, array] of values) leaves.set(name, tape.leaf(array.values, array.shape))
  const leaf = (name: string): Var => {
    const found = leaves.get(name)
    if (found === undefined) throw new Error(`the case has no array ${name}`)
    return found
  }
  const input = {
    x: leaf('x'),
    ...(values.has('dense') ? { dense: leaf('dense') } : {}),
    ...(values.has('wide') ? { wide: leaf('wide') } : {}),
  }
  return { tape, leaves, forward: model.forward(tape, leaf, input) }
}

/** Mean cross-entropy of every task on the random labels of `seed`. */
export function lossesOf({ tape, forward }: CasePass, seed: number): Var[] {
  const ones = new Float64Array(ROWS).fill(1)
  return forward.logits.map((logits, task) =>
    tape.bceWithLogits(logits, randomLabels(task, seed), ones),
  )
}

/** A tape on which stopped values pass gradients on as if they were not stopped. */
export class UnstoppedTape extends Tape {
  override stopGradient(x: Var): Var {
    return this.reshape(x, x.shape)
  }
}

/** A tape whose stopped values are those of an earlier pass, so that finite differences see only what gradients may see. */
export class FrozenTape extends Tape {
  readonly #stopped: Float64Array[]
  #next = 0

  /** Fills `stopped` when it comes empty and repeats it when it does not. */
  constructor(engine: Engine, stopped: Float64Array[]) {
    super(engine)
    this.#stopped = stopped
  }

  override stopGradient(x: Var): Var {
    const at = this.#next++
    const values = this.#stopped[at] ?? Float64Array.from(this.value(x))
    this.#stopped[at] = values
    return this.constant(values, x.shape)
  }
}
