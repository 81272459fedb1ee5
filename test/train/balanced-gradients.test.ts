/** @file However few passes are taken, every gradient is the one that a single pass over the weighted losses would give. */

import { describe, expect, test } from 'vitest'
import { type AnyBalancer, balancerFrom } from '../../src/balance/balancers.ts'
import { modelInput } from '../../src/model/embedded-batch.ts'
import type { Model } from '../../src/model/model.ts'
import { MODELS } from '../../src/model/models.ts'
import { Parameters } from '../../src/model/parameters.ts'
import { randomFrom } from '../../src/random.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { Tape } from '../../src/tensors/tape.ts'
import { type BatchGradients, balancedGradients } from '../../src/train/balanced-gradients.ts'
import { type GradientPlace, initialStates } from '../../src/train/balancing.ts'
import { taskTargets } from '../../src/train/task-loss.ts'
import { taskLosses } from '../../src/train/task-losses.ts'
import { TaskPasses } from '../../src/train/task-passes.ts'
import {
  fixedBalancer,
  randomLabels,
  SLOTS,
  SMALL_MODEL,
  smallModel,
  TASKS,
} from './small-learner.ts'

const ROWS = 5
const EXACT = 1e-12 // absolute, on float64

const KINDS = MODELS.map(({ kind }) => kind).filter((kind) => kind !== 'esmm')
const engine = plainEngine('float64')

/** Parameters away from their zeros, and a random input. */
function problemOf(model: Model, masked: readonly number[] = []) {
  const random = randomFrom(11)
  const parameters = new Parameters(model.parameters, 3)
  for (let i = 0; i < parameters.values.length; i++) {
    parameters.values[i]! += 0.3 * random.normal()
  }
  const xWidth = SLOTS * model.columnsPerField
  const normals = (length: number): Float32Array =>
    Float32Array.from({ length }, () => random.normal())
  const input = {
    rows: ROWS,
    tasks: TASKS.length,
    x: normals(ROWS * xWidth),
    xWidth,
    wide: model.wide ? normals(ROWS * TASKS.length) : undefined,
    dense: normals(ROWS),
    denseWidth: 1,
  }
  const targets = taskTargets(randomLabels(random, ROWS, { masked }), TASKS.length, ROWS)
  return { model, parameters, input, targets }
}

type Problem = ReturnType<typeof problemOf>

function balanced(
  problem: Problem,
  balancer: AnyBalancer,
  at: GradientPlace,
  { perTask = false, replacesInput = false } = {},
) {
  const { model, parameters, input, targets } = problem
  const passes = new TaskPasses(engine, model, parameters, input)
  const names = { tasks: TASKS, step: 0 }
  const states = initialStates(balancer, at, model)
  const losses = taskLosses(passes, targets, names)
  const balancing = { balancer, states, at, perTask, replacesInput, names }
  const gradients = balancedGradients(passes, losses, balancing)
  passes.dispose()
  return gradients
}

/** d(sum_t c_t L_t) by every parameter and input in one plain backward pass. */
function direct({ model, parameters, input, targets }: Problem, c: ArrayLike<number>) {
  const tape = new Tape(engine)
  const leaves = new Map(
    model.parameters.map(({ name, shape }) => [name, tape.leaf(parameters.view(name), shape)]),
  )
  const given = modelInput(tape, input)
  const { logits } = model.forward(tape, (name) => leaves.get(name)!, given)
  const seeds = targets.map(({ labels, weights, normalizer }, t) => ({
    of: tape.bceWithLogits(logits[t]!, labels, weights, { normalizer }),
    cotangent: Float64Array.of(c[t]!),
  }))
  const wrt = [...leaves.values(), given.x, ...(given.wide === undefined ? [] : [given.wide])]
  const values = tape.backward(seeds, wrt).map((g, i) => tape.gradientValues(g, wrt[i]!))
  const names = [...leaves.keys(), 'x', 'wide']
  const byName = new Map(values.map((value, i) => [names[i]!, value]))
  tape.dispose()
  return byName
}

function expectClose(actual: ArrayLike<number> | undefined, wanted: ArrayLike<number>, of: string) {
  let worst = 0
  for (let i = 0; i < wanted.length; i++) {
    const gap = Math.abs((actual?.[i] ?? 0) - wanted[i]!)
    if (!(gap <= worst)) worst = gap
  }
  expect(worst, `largest difference in ${of}`).toBeLessThan(EXACT)
}

/** Shared parameters and inputs by the weighted losses, private ones by their own loss with weight 1. */
function expectExact(problem: Problem, found: BatchGradients, c: ArrayLike<number>): void {
  const { model } = problem
  const weighted = direct(problem, c)
  const plain = direct(problem, [1, 1, 1])
  for (const { name, owner } of model.parameters) {
    const wanted = (owner === 'shared' ? weighted : plain).get(name)!
    expectClose(found.parameters.get(name), wanted, name)
  }
  const dx = mixedInput(model, weighted.get('x')!, plain.get('x')!)
  expectClose(found.inputs[0], dx, 'x')
  if (model.wide) expectClose(found.inputs[1], plain.get('wide')!, 'wide')
}

/** STEM's slices are private: their columns follow their own loss. */
function mixedInput(model: Model, weighted: ArrayLike<number>, plain: ArrayLike<number>) {
  const { columnsPerField, shape } = model
  return Array.from(weighted, (value, at) =>
    at % columnsPerField < columnsPerField - shape.dim ? plain[at]! : value,
  )
}

const optionsOf = (kind: string, more = {}) => ({ kind, dim: 3, tower_hidden: [4], ...more })
const C = [0.7, 0, -1.3]

describe.each(KINDS)('%s', (kind) => {
  const plain = problemOf(smallModel(optionsOf(kind, { wide: true })))
  const mutual = problemOf(smallModel(optionsOf(kind, { dml: {} })), [1])

  test.each([
    ['losses', 'representation'],
    ['losses', 'parameters'],
    ['gram', 'representation'],
    ['gram', 'parameters'],
    ['gram', 'tensors'],
  ] as const)(
    'weights that need %s, compared at %s, weigh what is shared and nothing else',
    (needs, at) => {
      for (const problem of [plain, mutual]) {
        for (const perTask of [false, true]) {
          const found = balanced(problem, fixedBalancer(C, needs), at, { perTask })
          expectExact(problem, found, C)
        }
      }
    },
  )

  test('the equal sum in one pass is the sum of the tasks’ own passes', () => {
    for (const problem of [plain, mutual]) {
      const once = balanced(problem, balancerFrom({ kind: 'equal' }), 'representation')
      expectExact(problem, once, [1, 1, 1])
    }
  })

  test('the gradient of x per task, with what tasks own, adds up to the whole', () => {
    for (const at of ['representation', 'parameters'] as const) {
      const found = balanced(mutual, fixedBalancer([1, 1, 1], 'gram'), at, {
        perTask: true,
      })
      expect(found.taskInputs[1], 'a task without labels').toBeUndefined()
      for (const task of [0, 2]) {
        const own = direct(
          mutual,
          [0, 1, 2].map((t) => Number(t === task)),
        )
        const shared = mixedInput(mutual.model, own.get('x')!, new Float64Array(1000))
        expectClose(found.taskInputs[task], shared, `x of task ${task}`)
      }
    }
  })
})

test('every listed balancer gives the gradient of the weighted losses at the parameters', () => {
  const problem = problemOf(smallModel(optionsOf('mmoe')))
  for (const kind of ['pcgrad', 'cagrad', 'nash-mtl', 'gradnorm', 'dwa', 'uncertainty']) {
    const found = balanced(problem, balancerFrom({ kind }), 'parameters')
    expectExact(problem, found, found.coefficients)
  }
})

test('db-mtl moves the shared parameters by its own sum, private ones and x by the plain sum', () => {
  const problem = problemOf(smallModel(optionsOf('mmoe')))
  const { model } = problem
  const balancer = balancerFrom({ kind: 'db-mtl' })
  if (balancer.needs !== 'gradients') throw new Error('db-mtl keeps vectors')
  const found = balanced(problem, balancer, 'parameters')
  const shared = model.parameters.filter(({ owner }) => owner === 'shared')
  const perTask = TASKS.map((_, task) =>
    direct(
      problem,
      TASKS.map((_, t) => Number(t === task)),
    ),
  )
  const gradients = Float64Array.from(
    perTask.flatMap((byName) => shared.flatMap(({ name }) => [...byName.get(name)!])),
  )
  const length = gradients.length / TASKS.length
  const passes = new TaskPasses(engine, model, problem.parameters, problem.input)
  const losses = taskLosses(passes, problem.targets, { tasks: TASKS, step: 0 })
  passes.dispose()
  const { gradient } = balancer.combine(
    { gradients, losses: losses.values, active: losses.active, step: 0 },
    balancer.init(TASKS.length, length),
  )
  const got = shared.flatMap(({ name }) => [...found.parameters.get(name)!])
  expectClose(got, gradient, 'shared')
  const plain = direct(problem, [1, 1, 1])
  for (const { name, owner } of model.parameters) {
    if (owner !== 'shared') expectClose(found.parameters.get(name), plain.get(name)!, name)
  }
  expectClose(found.inputs[0], plain.get('x')!, 'x')
})

test('db-mtl refuses any place where its vectors would not be the same from step to step', () => {
  const model = smallModel(optionsOf('mmoe'))
  const balancer = balancerFrom({ kind: 'db-mtl' })
  expect(() => initialStates(balancer, 'representation', model)).toThrow(
    expect.objectContaining({
      code: 'BAD_SETTINGS',
      remedy: 'set train.gradients_at: parameters',
    }),
  )
})

test('tensor by tensor, metabalance brings each auxiliary gradient to the target’s norm', () => {
  const problem = problemOf(smallModel(optionsOf('shared-bottom')))
  const found = balanced(problem, balancerFrom({ kind: 'metabalance', relax: 1 }), 'tensors')
  const own = TASKS.map((_, task) =>
    direct(
      problem,
      TASKS.map((_, t) => Number(t === task)),
    ),
  )
  const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values))
  const names = problem.model.parameters
    .filter(({ owner }) => owner === 'shared')
    .map(({ name }) => name)
  for (const name of [...names, 'x']) {
    const gradients = own.map((byName) => byName.get(name)!)
    const scales = gradients.map((g) => norm(gradients[0]!) / norm(g))
    const wanted = Array.from(gradients[0]!, (_, i) =>
      gradients.reduce((sum, g, t) => sum + scales[t]! * g[i]!, 0),
    )
    const got = name === 'x' ? found.inputs[0] : found.parameters.get(name)
    expectClose(got, wanted, name)
  }
})

test('where gradients per task take the place of the one by x, only that one is left out', () => {
  const problem = problemOf(smallModel({ ...SMALL_MODEL, wide: true }))
  const balancer = fixedBalancer([0.5, 2, 1], 'gram')
  const whole = balanced(problem, balancer, 'representation', { perTask: true })
  const without = balanced(problem, balancer, 'representation', {
    perTask: true,
    replacesInput: true,
  })
  expect(without.inputs).toEqual([undefined, whole.inputs[1]])
  expect(without.parameters).toEqual(whole.parameters)
  expect(without.taskInputs).toEqual(whole.taskInputs)
})
