/** @file The learner on small batches: law 1, masks, determinism, what FAMO is told, and what a sick batch leaves behind. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Balancer } from '../../src/balance/balancer.ts'
import { BALANCERS, balancerFrom } from '../../src/balance/balancers.ts'
import { MODELS } from '../../src/model/models.ts'
import { randomFrom } from '../../src/random.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import {
  randomBatches,
  randomFeatures,
  randomLabels,
  restored,
  type SmallLearnerOptions,
  smallLearner,
  stateOf,
  TASKS,
  weightsOf,
} from './small-learner.ts'

/** Every balancer where it works, and every backbone with the equal one. */
const CONFIGURATIONS: readonly (readonly [string, SmallLearnerOptions])[] = [
  ...BALANCERS.flatMap(({ kind }) => {
    const balancer = balancerFrom({ kind })
    const places =
      balancer.needs === 'losses'
        ? (['representation'] as const)
        : balancer.needs === 'gradients'
          ? (['parameters'] as const)
          : (['representation', 'parameters', 'tensors'] as const)
    return places.map((at) => [`${kind} at ${at}`, { balancer, at }] as const)
  }),
  [
    'rates of its own for a slot and for the first steps',
    { schedule: { warmup_steps: 2, decay_steps: 20 }, slotRates: [1, 0.5] },
  ],
  ...MODELS.filter(({ kind }) => kind !== 'esmm').map(
    ({ kind }) => [kind, { model: { kind, dim: 3, wide: true, dml: {} } }] as const,
  ),
]

function meanLosses(
  probabilities: Float32Array,
  { labels, mask }: { labels: Float32Array; mask: Float32Array },
): number[] {
  const rows = labels.length / TASKS.length
  return TASKS.map((_, task) => {
    let sum = 0
    let known = 0
    for (let at = task * rows; at < (task + 1) * rows; at++) {
      if (mask[at] !== 1) continue
      const p = probabilities[at]!
      sum -= Math.log(labels[at] === 1 ? p : 1 - p)
      known += 1
    }
    return sum / Math.max(1, known)
  })
}

describe.each(CONFIGURATIONS)('a learner with %s', (_, options) => {
  test('predicts with the model as it stood, then learns; saved at any step it has the same future', () => {
    const slow = { ...options, learningRate: 0.01 }
    const learner = smallLearner(slow)
    const batches = randomBatches(6, 5)
    for (const [step, { features, labels }] of batches.entries()) {
      const copy = restored(learner, slow)
      const before = learner.score(features)
      const learned = learner.learn(features, labels)
      expect(learned.probabilities, `step ${step}`).toEqual(before)
      const losses = meanLosses(learned.probabilities, labels)
      losses.forEach((loss, task) => {
        // The oracle takes logarithms of float32 probabilities near 1.
        const gap = Math.abs((learned.losses[task] ?? Number.NaN) - loss)
        expect(gap, `step ${step}, task ${task}`).toBeLessThan(1e-5 + 2e-3 * loss)
      })
      expect(copy.learn(features, labels).coefficients).toEqual(learned.coefficients)
      expect(stateOf(copy), `step ${step}`).toBe(stateOf(learner))
    }
    expect(learner.steps).toBe(batches.length)
  })
})

test('a batch without a single known label changes no weight, no moment, no row and no balancer', () => {
  for (const [name, options] of CONFIGURATIONS) {
    const learner = smallLearner(options)
    for (const { features, labels } of randomBatches(3, 2)) learner.learn(features, labels)
    const before = weightsOf(learner)
    const random = randomFrom(9)
    const features = randomFeatures(random, 6)
    const labels = randomLabels(random, 6, { masked: [0, 1, 2] })
    const { coefficients, gradientNorm } = learner.learn(features, labels)
    expect(weightsOf(learner), name).toBe(before)
    expect([...coefficients], name).toEqual([0, 0, 0])
    expect(gradientNorm, name).toBe(0)
  }
})

test('a task without labels in the batch keeps its tower, its gate and their moments', () => {
  for (const [name, options] of CONFIGURATIONS) {
    const learner = smallLearner(options)
    for (const { features, labels } of randomBatches(3, 2)) learner.learn(features, labels)
    const { model, parameters } = learner.parts
    const own = model.parameters.filter(({ owner }) => owner === 1).map((spec) => spec.name)
    expect(own.length, name).toBeGreaterThan(0)
    const values = (): number[][] => own.map((one) => [...parameters.view(one)])
    const before = values()
    const random = randomFrom(9)
    learner.learn(randomFeatures(random, 6), randomLabels(random, 6, { masked: [1] }))
    expect(values(), name).toEqual(before)
  }
})

test('what a label is where it is not known changes nothing (seed 77)', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.float({ noNaN: true, min: -5, max: 5 }), (seed, junk) => {
      const [batch] = randomBatches(1, seed)
      const { features, labels } = batch!
      const spoilt = labels.labels.map((label, at) => (labels.mask[at] === 1 ? label : junk))
      const clean = smallLearner()
      const other = smallLearner()
      clean.learn(features, labels)
      other.learn(features, { ...labels, labels: spoilt })
      expect(stateOf(other)).toBe(stateOf(clean))
    }),
    { seed: 77, numRuns: 20 },
  )
})

test('repeated batches are learned by heart', () => {
  for (const [name, options] of CONFIGURATIONS) {
    const learner = smallLearner(options)
    const [batch] = randomBatches(1, 4)
    const { features, labels } = batch!
    const first = learner.learn(features, labels)
    let last = first
    for (let step = 0; step < 40; step++) last = learner.learn(features, labels)
    const sum = (losses: Float64Array): number => losses.reduce((a, b) => a + b, 0)
    expect(sum(last.losses), name).toBeLessThan(0.9 * sum(first.losses))
  }
})

test('a slot of half the learning rate, and a step of half of it, move by half', () => {
  const [batch] = randomBatches(1, 6)
  const { features, labels } = batch!
  const [slot, bag] = features.slots
  /** How far the first value of the rows of each slot went. */
  const moves = (options: SmallLearnerOptions): number[][] => {
    const learner = smallLearner(options)
    const { table } = learner.parts
    const rows = [slot!, bag!].map(({ hi, lo }) =>
      Array.from(hi, (half, i) => table.insertOne(half, lo[i]!)),
    )
    const values = (): number[][] =>
      rows.map((those) => those.map((row) => table.valuesOf(row)[0] ?? 0))
    const before = values()
    learner.learn(features, labels)
    return values().map((those, s) => those.map((value, i) => value - before[s]![i]!))
  }
  const [single, bagged] = moves({})
  const slower = moves({ slotRates: [1, 0.5] })
  const warming = moves({ schedule: { warmup_steps: 1 } })
  expect(Math.max(...bagged!.map(Math.abs))).toBeGreaterThan(1e-3)
  single!.forEach((move, i) => {
    expect(slower[0]![i]).toBe(move)
    expect(warming[0]![i]).toBeCloseTo(move / 2, 6)
  })
  bagged!.forEach((move, i) => {
    expect(slower[1]![i]).toBeCloseTo(move / 2, 6)
    expect(warming[1]![i]).toBeCloseTo(move / 2, 6)
  })
})

/** Remembers in its state what `afterStep` was given. */
function listening(): Balancer {
  return {
    name: 'listening',
    needs: 'losses',
    init: () => ({ heard: [] }),
    coefficients: ({ active }, state) => ({ coefficients: Float64Array.from(active), state }),
    afterStep: (lossesAfter, state) => ({ ...state, heard: [...lossesAfter] }),
  }
}

test('a balancer that judges its step is told the losses of the same batch through the stepped model', () => {
  const options = { balancer: listening(), engine: plainEngine('float64') }
  const learner = smallLearner(options)
  for (const { features, labels } of randomBatches(4, 21)) {
    const { losses } = learner.learn(features, labels)
    const after = meanLosses(learner.score(features), labels)
    const heard = heardBy(learner.snapshot())
    after.forEach((loss, task) => {
      expect(heard[task]).toBeCloseTo(loss, 5)
    })
    expect(heard).not.toEqual([...losses])
  }
})

/** The balancer states stand in the snapshot as JSON after two numbers. */
function heardBy(snapshot: Uint8Array): number[] {
  const view = new DataView(snapshot.buffer, snapshot.byteOffset)
  const text = Buffer.from(snapshot).toString('utf8', 20, 20 + view.getUint32(16, true))
  return (JSON.parse(text) as [{ heard: number[] }])[0].heard
}

test('famo weighs tasks by what its steps did to their losses', () => {
  const learner = smallLearner({ balancer: balancerFrom({ kind: 'famo', learningRate: 0.5 }) })
  const famo = balancerFrom({ kind: 'famo', learningRate: 0.5 })
  if (famo.needs !== 'losses') throw new Error('famo works on losses')
  let state = famo.init(TASKS.length)
  for (const [step, { features, labels }] of randomBatches(5, 8).entries()) {
    const active = new Uint8Array(TASKS.length).fill(1)
    const { losses, coefficients } = learner.learn(features, labels)
    const seen = { losses, active, gram: new Float64Array(9), step }
    const wanted = famo.coefficients(seen, state)
    coefficients.forEach((c, task) => {
      expect(c, `step ${step}`).toBeCloseTo(wanted.coefficients[task]!, 3)
    })
    const after = Float64Array.from(meanLosses(learner.score(features), labels))
    state = famo.afterStep?.(after, wanted.state) ?? state
  }
})

describe('a batch that would make the model sick', () => {
  test('is refused by the name of the task and the step, and nothing has moved', () => {
    for (const [name, options] of CONFIGURATIONS) {
      const learner = smallLearner(options)
      for (const { features, labels } of randomBatches(3, 2)) learner.learn(features, labels)
      const random = randomFrom(9)
      const features = randomFeatures(random, 6)
      const labels = randomLabels(random, 6)
      labels.labels[2 * 6 + 1] = Number.POSITIVE_INFINITY
      labels.mask[2 * 6 + 1] = 1
      const before = stateOf(learner)
      expect(() => learner.learn(features, labels), name).toThrow(
        expect.objectContaining({
          code: 'NUMERIC',
          message: expect.stringMatching(/task share .* at step 3$/),
        }),
      )
      expect(stateOf(learner), name).toBe(before)
    }
  })

  test('is refused when only a gradient overflows', () => {
    for (const options of [{}, { balancer: balancerFrom({ kind: 'pcgrad' }) }]) {
      const learner = smallLearner({
        ...options,
        model: { kind: 'shared-bottom', dim: 3, tower_hidden: [4] },
      })
      const { parameters } = learner.parts
      // A bottom of about 1e6, a tower layer of 1e-35 and an output of 1e38: the logit is finite, its gradient by the layer is not.
      for (const spec of parameters.specs) {
        const values = parameters.view(spec.name)
        if (spec.name.startsWith('bottom')) values.fill(100)
        if (spec.name.startsWith('tower.2.layer')) values.fill(1e-35)
        if (spec.name === 'tower.2.out.weight') values.fill(1e38)
      }
      const [batch] = randomBatches(1, 3)
      const before = stateOf(learner)
      expect(() => learner.learn(batch!.features, batch!.labels)).toThrow(
        expect.objectContaining({ code: 'NUMERIC', message: expect.stringContaining('share') }),
      )
      expect(stateOf(learner)).toBe(before)
    }
  })
})
