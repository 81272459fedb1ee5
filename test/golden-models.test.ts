/**
 * @file Golden vectors of the models: logits, probabilities, losses and the gradients of every single loss, on every engine.
 * GOLDEN_DIR names another folder of the same format; every choice is read from the files.
 */

import { afterAll, describe, expect, test } from 'vitest'
import { type Association, LabelAssociation } from '../src/model/label-association.ts'
import type { Forward, Model } from '../src/model/model.ts'
import {
  GAMMAS,
  VirtualGradient,
  virtualGradientOptions,
  virtualScale,
} from '../src/model/virtual-gradient.ts'
import type { Engine } from '../src/tensors/engine.ts'
import { openEngine } from '../src/tensors/engine-choice.ts'
import { plainEngine } from '../src/tensors/plain-engine.ts'
import { Tape, type Var } from '../src/tensors/tape.ts'
import { goldenFolder } from './golden-folder.ts'
import {
  type GoldenArray,
  type GoldenModel,
  type GoldenVirtual,
  goldenModel,
  readGoldenModels,
} from './model/golden-model.ts'

const folder = goldenFolder('models')
const files = readGoldenModels(folder)

interface Precision {
  readonly engine: Engine
  readonly tolerance: number
}

/** Absolute tolerances of the golden README. */
const FLOAT64 = 1e-10
const FLOAT32 = 5e-6

// tfjs is the native library where it loads, else wasm; wasm and cpu are checked by name as well.
const best = await openEngine('tfjs')
const engines: Readonly<Record<string, Precision>> = Object.fromEntries(
  [
    plainEngine('float64'),
    plainEngine('float32'),
    best.engine,
    (await openEngine('wasm')).engine,
    (await openEngine('cpu')).engine,
  ].map((engine) => [
    engine.name,
    { engine, tolerance: engine.dtype === 'float64' ? FLOAT64 : FLOAT32 },
  ]),
)

/** One forward pass of a file with its leaves and losses, kept on the tape for gradients. */
interface Pass {
  readonly tape: Tape
  readonly leaves: ReadonlyMap<string, Var>
  readonly forward: Forward
  readonly losses: readonly Var[]
}

function runForward(engine: Engine, model: Model, file: GoldenModel): Pass {
  const tape = new Tape(engine)
  const leaves = new Map<string, Var>()
  for (const [name, array] of Object.entries(file.params)) {
    leaves.set(name, tape.leaf(Float64Array.from(array.data), array.shape))
  }
  const [rows = 0, fields = 0, columns = 0] = file.inputs.x.shape
  const x = tape.leaf(Float64Array.from(file.inputs.x.data), [rows, fields * columns])
  leaves.set('x', x)
  const parameter = (name: string): Var => {
    const leaf = leaves.get(name)
    if (leaf === undefined) throw new Error(`the file has no parameter ${name}`)
    return leaf
  }
  const forward = model.forward(tape, parameter, { x })
  const losses = forward.logits.map((logits, task) => {
    const labels = Float64Array.from(file.labels.data.slice(task * rows, (task + 1) * rows))
    return tape.bceWithLogits(logits, labels, new Float64Array(rows).fill(1))
  })
  return { tape, leaves, forward, losses }
}

/** The largest difference, with NaN counted as infinite, and the shape of the arrays compared. */
function difference(actual: ArrayLike<number>, expected: GoldenArray): number {
  if (actual.length !== expected.data.length) return Number.POSITIVE_INFINITY
  let worst = 0
  for (let i = 0; i < actual.length; i++) {
    const gap = Math.abs(actual[i]! - expected.data[i]!)
    if (!(gap <= worst)) worst = Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap
  }
  return worst
}

/** Gradients of one task's loss by name, exact zeros where no path leads. */
function gradientsOf(pass: Pass, task: number): Map<string, ArrayLike<number>> {
  const names = [...pass.leaves.keys()]
  const leaves = [...pass.leaves.values()]
  const gradients = pass.tape.backward([{ of: pass.losses[task]! }], leaves)
  return new Map(names.map((name, i) => [name, pass.tape.gradientValues(gradients[i], leaves[i]!)]))
}

/** Columns of x that the loss must not reach (STEM's other slices: zero in every row) and reaches. */
function leakingColumns(actual: ArrayLike<number>, expected: GoldenArray | undefined): number[] {
  const { data, shape } = expected ?? { data: [], shape: [0] }
  const columns = data.length / (shape[0] ?? 1)
  return Array.from({ length: columns }, (_, column) => column).filter((column) => {
    const inColumn = (_: unknown, i: number): boolean => i % columns === column
    const values = Array.from(actual).filter(inColumn)
    return data.filter(inColumn).every((g) => g === 0) && values.some((g) => g !== 0)
  })
}

function valuesOf(pass: Pass, vars: readonly Var[]): number[] {
  return vars.flatMap((v) => [...pass.tape.value(v)])
}

/** Associations of the file's own labels, as if its batch were the whole stream. */
function batchAssociation(file: GoldenModel): LabelAssociation {
  const [tasks = 0, rows = 0] = file.labels.shape
  const labels = new LabelAssociation(tasks, 0, 1)
  labels.observe(file.labels.data, new Float32Array(tasks * rows).fill(1), rows)
  return labels
}

function gammaOf(name: string): keyof typeof GAMMAS {
  const gammas = Object.keys(GAMMAS) as (keyof typeof GAMMAS)[]
  const gamma = gammas.find((known) => known === name)
  if (gamma === undefined) throw new Error(`golden file with the unknown function ${name}`)
  return gamma
}

/** Scales of all gates, [T, K, P] flat. */
function scalesOf(file: GoldenModel, gamma: string, association: Association): number[] {
  const labels = batchAssociation(file)
  const gates = goldenModel(file).shape.tasks.map((_, task) => {
    return file.params[`gate.task.${task}`]?.data ?? []
  })
  return gates.flatMap((_, task) => {
    const phi = (other: number): number => labels.of(task, other, association)
    return [...virtualScale(gates, task, phi, gammaOf(gamma))]
  })
}

function expectVirtual(file: GoldenModel, virtual: GoldenVirtual): void {
  const tasks = goldenModel(file).shape.tasks.length
  const labels = batchAssociation(file)
  for (const [association, matrix] of [
    ['pearson', virtual.labelAssociation],
    ['cosine', virtual.labelAssociationCosine],
  ] as const) {
    for (let i = 0; i < tasks; i++) {
      for (let j = 0; j < tasks; j++) {
        if (i === j) continue
        expect(labels.of(i, j, association)).toBeCloseTo(matrix.data[i * tasks + j] ?? 0, 10)
      }
    }
  }
  const scale = scalesOf(file, virtual.function, 'pearson')
  expect(difference(scale, virtual.scale)).toBeLessThan(FLOAT64)
  for (const [variant, array] of Object.entries(virtual.variants)) {
    const isCosine = variant.endsWith('-cosine')
    const gamma = isCosine ? variant.slice(0, -'-cosine'.length) : variant
    const scales = scalesOf(file, gamma, isCosine ? 'cosine' : 'pearson')
    expect(difference(scales, array), variant).toBeLessThan(FLOAT64)
  }
}

/** The gate gradients that the optimizer gets, [T, K, P] flat, with scales clipped to `clip`. */
function gateGradients(file: GoldenModel, gamma: string, clip: [number, number]): number[] {
  const pass = runForward(plainEngine('float64'), goldenModel(file), file)
  const options = { gamma: gammaOf(gamma), decay: 0, support: 1, clip }
  const names = file.labels.data.slice(0, file.labels.shape[0]).map((_, t) => `gate.task.${t}`)
  const virtual = new VirtualGradient(virtualGradientOptions.parse(options), names)
  const [tasks = 0, rows = 0] = file.labels.shape
  const mask = new Float32Array(tasks * rows).fill(1)
  virtual.observe(Float32Array.from(file.labels.data), mask, rows)
  const gradients = new Map(
    names.map((name, task) => [name, Float64Array.from(gradientsOf(pass, task).get(name) ?? [])]),
  )
  virtual.apply(
    (name) => gradients.get(name),
    (name) => Float64Array.from(file.params[name]?.data ?? []),
  )
  return [...gradients.values()].flatMap((gradient) => [...gradient])
}

const checked = new Map<string, number>()

/** The model, or why there is none: one strange file must not keep the others from being checked. */
function modelOf(file: GoldenModel): Model | Error {
  try {
    return goldenModel(file)
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown))
  }
}

test('the folder holds nothing but golden files', () => {
  expect(folder.strange).toEqual([])
})

for (const [name, file] of files) {
  describe(name, () => {
    const model = modelOf(file)
    test('is of a known algorithm', () => {
      if (model instanceof Error) throw model
    })
    if (model instanceof Error) return

    test('has exactly the parameters of the file, in name and shape', () => {
      const shapes = Object.fromEntries(model.parameters.map((spec) => [spec.name, spec.shape]))
      const expected = Object.entries(file.params).map(([key, array]) => [key, array.shape])
      expect(shapes).toEqual(Object.fromEntries(expected))
    })

    test.each(Object.entries(engines))('agrees on %s', (_, { engine, tolerance }) => {
      const { expected } = file
      const pass = runForward(engine, model, file)
      const logits = valuesOf(pass, pass.forward.logits)
      expect(difference(logits, expected.logits)).toBeLessThan(tolerance)
      const probabilities = logits.map((z) => 1 / (1 + Math.exp(-z)))
      expect(difference(probabilities, expected.probabilities)).toBeLessThan(tolerance)
      expect(difference(valuesOf(pass, pass.losses), expected.losses)).toBeLessThan(tolerance)
      expect(Object.keys(expected.grads)).toHaveLength(model.shape.tasks.length)
      for (const [task, grads] of Object.entries(expected.grads)) {
        const actual = gradientsOf(pass, Number(task))
        expect(Object.keys(grads).sort()).toEqual([...actual.keys()].sort())
        for (const [key, array] of Object.entries(grads)) {
          const values = actual.get(key) ?? []
          expect(difference(values, array), `task ${task}: ${key}`).toBeLessThan(tolerance)
        }
        expect(leakingColumns(actual.get('x') ?? [], grads.x), `task ${task} in x`).toEqual([])
        for (const key of expected.zeroGrads[task] ?? []) {
          const values = Array.from(actual.get(key) ?? [Number.NaN])
          expect(
            values.every((g) => g === 0),
            `task ${task} trains ${key}`,
          ).toBe(true)
        }
      }
      pass.tape.dispose()
      checked.set(file.algorithm, (checked.get(file.algorithm) ?? 0) + 1)
    })

    const { virtual } = file.expected
    if (virtual === undefined) return
    test('rescales its gates by virtual gradients', () => {
      expectVirtual(file, virtual)
      const free = gateGradients(file, virtual.function, [0, Number.MAX_VALUE])
      expect(difference(free, virtual.gateGrads)).toBeLessThan(FLOAT64)
      const clipped = gateGradients(file, virtual.function, [0.1, 2])
      expect(difference(clipped, virtual.gateGradsClipped)).toBeLessThan(FLOAT64)
    })
  })
}

afterAll(() => {
  const names = Object.keys(engines)
  const counts = [...checked]
    .sort()
    .map(([algorithm, runs]) => `${algorithm} ${runs / names.length}`)
  const total = [...checked.values()].reduce((sum, runs) => sum + runs, 0) / names.length
  console.log(
    `golden models in ${folder.path}: ${total} of ${files.size} files agree on ${names.join(', ')}: ${counts.join(', ')}`,
  )
})
