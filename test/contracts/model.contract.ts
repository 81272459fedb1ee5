/** @file What every model promises, checked on every case: determinism, whose loss trains what, exact gradients, a sound cut. */

import { describe, expect, test } from 'vitest'
import type { Model } from '../../src/model/model.ts'
import { Parameters } from '../../src/model/parameters.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { Tape, type Var } from '../../src/tensors/tape.ts'
import {
  type CasePass,
  FrozenTape,
  lossesOf,
  type ModelCase,
  modelOf,
  ROWS,
  randomLabels,
  randomValues,
  runCase,
  UnstoppedTape,
  type Values,
} from './model-case.ts'
import { learnsPlantedSignal } from './planted-signal.ts'

const SEED = 20260

/** Runs the whole contract on one case. */
export function modelContract(it: ModelCase): void {
  describe(`${it.name}, ${it.tasks} tasks, ${it.dense} numbers`, () => {
    const model = modelOf(it)
    const values = randomValues(model, SEED)
    const run = (): CasePass => runCase(model, values, new Tape(plainEngine('float64')))

    test('starts from the same bytes with the same seed and from others with another', () => {
      const bytes = (seed: number): Buffer =>
        Buffer.from(new Parameters(model.parameters, seed).snapshot())
      expect(bytes(SEED).equals(bytes(SEED))).toBe(true)
      expect(bytes(SEED).equals(bytes(SEED + 1))).toBe(false)
    })

    test('predicts the same after its parameters are saved and loaded', () => {
      const trained = new Parameters(model.parameters, SEED)
      const loaded = new Parameters(model.parameters, SEED + 1)
      expect(predict(model, values, loaded)).not.toEqual(predict(model, values, trained))
      loaded.restore(trained.snapshot())
      expect(predict(model, values, loaded)).toEqual(predict(model, values, trained))
      expect(Buffer.compare(loaded.snapshot(), trained.snapshot())).toBe(0)
    })

    test('gives one logit per row and task, and gates whose rows sum to 1', () => {
      const { forward, tape } = run()
      expect(forward.logits.map((logit) => logit.shape)).toEqual(
        Array.from({ length: it.tasks }, () => [ROWS, 1]),
      )
      for (const gate of forward.gates) {
        const sums = tape.value(tape.sumLast(gate.weights))
        for (const sum of sums) expect(sum).toBeCloseTo(1, 12)
      }
    })

    test('trains nothing with a masked label', () => {
      const pass = run()
      const none = new Float64Array(ROWS)
      pass.forward.logits.forEach((logits, task) => {
        const loss = pass.tape.bceWithLogits(logits, randomLabels(task, SEED), none)
        for (const [name, gradient] of gradients(pass, loss)) {
          expect(
            gradient.some((g) => g !== 0),
            `task ${task} trains ${name}`,
          ).toBe(false)
        }
      })
    })

    test('trains a private parameter by its own task alone, a shared one by several', () => {
      const pass = run()
      const leaves = model.parameters.map(({ name }) => pass.leaves.get(name)!)
      const reached = lossesOf(pass, SEED).map((loss) => pass.tape.backward([{ of: loss }], leaves))
      model.parameters.forEach(({ name, owner }, i) => {
        const paths = reached.flatMap((of, task) => (of[i] === undefined ? [] : [task]))
        if (owner === 'shared') {
          expect(paths.length, name).toBeGreaterThanOrEqual(Math.min(2, it.tasks))
          return
        }
        expect(paths, name).toContain(owner)
        const others = reached.filter((_, task) => task !== owner)
        const leaks = others.flatMap((of) => [...pass.tape.gradientValues(of[i], leaves[i]!)])
        expect(
          leaks.some((g) => g !== 0),
          `other tasks train ${name}`,
        ).toBe(false)
      })
    })

    test('predicts the same when nothing is stopped', () => {
      const unstopped = runCase(model, values, new UnstoppedTape(plainEngine('float64')))
      expect(logitsOf(unstopped)).toEqual(logitsOf(run()))
    })

    // The parts of a sixth task are made as those of a third; the time goes into differences.
    if (it.tasks <= 3) {
      test('has the gradients that finite differences find', () => {
        expectFiniteDifferences(model, values)
      })
    }

    test('lets nothing below the cut reach a loss but through it', () => {
      const pass = run()
      const { cut, privateCut } = pass.forward
      const below = model.parameters.flatMap(({ name, place }) =>
        place === 'trunk' ? [pass.leaves.get(name)!] : [],
      )
      const inputs = ['x', 'wide'].flatMap((name) => pass.leaves.get(name) ?? [])
      for (const loss of lossesOf(pass, SEED)) {
        const wrt = [...cut, ...privateCut, ...below, ...inputs]
        const found = pass.tape.backward([{ of: loss }], wrt, { stopAtWrt: true })
        expect(found.slice(cut.length + privateCut.length).every((g) => g === undefined)).toBe(true)
      }
    })

    test('gives the gradient of any weighted sum of losses through short passes to the cut', () => {
      expectSoundCut(model, run(), it)
    })

    if (it.tasks === 2) {
      test('learns a planted signal', () => {
        const { before, after } = learnsPlantedSignal(model, SEED)
        after.forEach((loss, task) => {
          expect(loss, `task ${task}`).toBeLessThan(0.6 * before[task]!)
        })
      })
    }
  })
}

function predict(model: Model, values: Values, parameters: Parameters): number[] {
  const inputs = [...values].filter(([name]) => ['x', 'dense', 'wide'].includes(name))
  const own = parameters.specs.map(
    ({ name, shape }) =>
      [name, { values: Float64Array.from(parameters.view(name)), shape }] as const,
  )
  const tape = new Tape(plainEngine('float32'))
  return logitsOf(runCase(model, new Map([...own, ...inputs]), tape))
}

function logitsOf({ tape, forward }: CasePass): number[] {
  return forward.logits.flatMap((logit) => [...tape.value(logit)])
}

/** Gradients of a scalar by every leaf. */
function gradients(pass: CasePass, of: Var): Map<string, number[]> {
  const names = [...pass.leaves.keys()]
  const leaves = [...pass.leaves.values()]
  const found = pass.tape.backward([{ of }], leaves)
  return new Map(
    names.map((name, i) => [name, [...pass.tape.gradientValues(found[i], leaves[i]!)]]),
  )
}

/** c_t: unequal, one negative, as some balancers give them. */
function coefficient(task: number): number {
  return task === 1 ? -0.7 : 0.4 + 0.3 * task
}

/** Central differences of the weighted sum of losses, with stopped values held where they were. */
function expectFiniteDifferences(model: Model, values: Values): void {
  const stopped: Float64Array[] = []
  const total = (at: Values): number => {
    const pass = runCase(model, at, new FrozenTape(plainEngine('float64'), stopped))
    const losses = lossesOf(pass, SEED)
    const sum = losses.reduce(
      (s, loss, task) => s + coefficient(task) * pass.tape.value(loss)[0]!,
      0,
    )
    pass.tape.dispose()
    return sum
  }
  total(values) // the first pass records what is stopped
  const pass = runCase(model, values, new Tape(plainEngine('float64')))
  const exact = lossesOf(pass, SEED).map((loss) => gradients(pass, loss))
  const step = 1e-6
  for (const [name, array] of values) {
    const picks = new Set([0, array.values.length >> 1])
    for (const i of picks) {
      const moved = (by: number): Values => {
        const copy = array.values.slice()
        copy[i]! += by
        return new Map([...values, [name, { ...array, values: copy }]])
      }
      const slope = (total(moved(step)) - total(moved(-step))) / (2 * step)
      const sum = exact.reduce((s, of, task) => s + coefficient(task) * of.get(name)![i]!, 0)
      expect(Math.abs(sum - slope), `${name}[${i}]: ${sum} and ${slope}`).toBeLessThan(1e-7)
    }
  }
}

/** The algorithm of model.ts against the direct gradients of every loss. */
function expectSoundCut(model: Model, pass: CasePass, it: ModelCase): void {
  const { tape, forward, leaves } = pass
  const { cut, privateCut } = forward
  const losses = lossesOf(pass, SEED)
  const weights = losses.map((_, task) => coefficient(task))
  const ones = losses.map(() => 1)
  const heads = model.parameters.filter(({ place }) => place === 'head')
  const wrt = [...cut, ...privateCut, ...heads.map(({ name }) => leaves.get(name)!)]
  const short = losses.map((of) => tape.backward([{ of }], wrt, { stopAtWrt: true }))
  const part = (from: number, to: number, by: readonly number[]) =>
    tape.combine(
      short.map((gradient) => gradient.slice(from, to)),
      by,
    )
  const seeds = [
    ...part(0, cut.length, weights),
    ...part(cut.length, cut.length + privateCut.length, ones),
  ].flatMap((cotangent, i) =>
    cotangent === undefined ? [] : [{ of: [...cut, ...privateCut][i]!, cotangent }],
  )
  // Numeric inputs are not learned, and no cut is promised for them.
  const above = new Set(['dense', ...heads.map(({ name }) => name)])
  const below = [...leaves].filter(([name]) => !above.has(name))
  const long = tape.backward(
    seeds,
    below.map(([, leaf]) => leaf),
  )
  const direct = losses.map((loss) => gradients(pass, loss))
  const expectWeighted = (name: string, actual: ArrayLike<number>, by: WeightOf): void => {
    const gaps = Array.from(actual, (value, i) => {
      const expected = direct.reduce((sum, of, t) => sum + by(t, i) * of.get(name)![i]!, 0)
      return Math.abs(value - expected)
    })
    expect(Math.max(...gaps), name).toBeLessThan(1e-12)
  }
  heads.forEach(({ name, owner }, h) => {
    const by = owner === 'shared' ? weights : ones
    const at = cut.length + privateCut.length + h
    const [combined] = part(at, at + 1, by)
    expectWeighted(name, tape.gradientValues(combined, leaves.get(name)!), (task) => by[task]!)
  })
  below.forEach(([name, leaf], i) => {
    expectWeighted(name, tape.gradientValues(long[i], leaf), inputWeights(model, name, it))
  })
}

/** Weight of task t's direct gradient in element i of a leaf below the cut. */
type WeightOf = (task: number, i: number) => number

/** Shared leaves are weighted by c_t; columns that one task owns in the input are not weighted. */
function inputWeights(model: Model, name: string, { options, tasks }: ModelCase): WeightOf {
  const { dim } = model.shape
  const { conditional = [] } = options
  const given = new Set([
    ...(conditional as { given: string }[]).map((condition) => condition.given),
    ...(options.kind === 'esmm' ? ['task-0'] : []),
  ])
  const isPrivate = (owner: number): boolean => owner < tasks && !given.has(`task-${owner}`)
  const owned = (owner: number, task: number): number => (isPrivate(owner) ? 1 : coefficient(task))
  if (name === 'wide') return (task, i) => owned(i % tasks, task)
  const live = (options.dml as { stop_gradient?: boolean } | undefined)?.stop_gradient === false
  if (name === 'x' && model.columnsPerField > dim && !live) {
    return (task, i) => owned(Math.floor((i % model.columnsPerField) / dim), task)
  }
  return coefficient
}
