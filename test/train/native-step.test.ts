/** @file Dense steps inside the native engine: what Adam outside would do, sick gradients noticed, the same bytes each time. */

import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { randomFrom } from '../../src/random.ts'
import { KernelEngine } from '../../src/tensors/kernel-engine.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { DenseAdam } from '../../src/train/dense-adam.ts'
import type { Learner } from '../../src/train/learner.ts'
import { kernelsHere } from '../tensors/open-engines.ts'
import { randomFeatures, randomLabels, smallLearner } from './small-learner.ts'

const kernels = kernelsHere()
if (kernels === undefined) test.skip('the native engine does not start here', () => {})
else describe('on the native engine', () => suite(new KernelEngine(kernels.binding)))

function taught(learner: Learner, steps: number): Learner {
  const random = randomFrom(3)
  for (let i = 0; i < steps; i++)
    learner.learn(randomFeatures(random, 40), randomLabels(random, 40))
  return learner
}

function suite(engine: KernelEngine): void {
  test('Adam inside is Adam outside', () => {
    const random = randomFrom(1)
    const options = { learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 }
    const [inside, outside] = [new DenseAdam(options), new DenseAdam(options)]
    const values = Float32Array.from({ length: 1000 }, () => random.normal())
    const wanted = values.slice()
    for (let step = 0; step < 20; step++) {
      const gradient = Float32Array.from(values, () => random.normal())
      const tensor = engine.upload(gradient, [1000])
      inside.updateInside(engine.dense, 'w', values, tensor, { scale: 0.5, factor: 0.3 })
      engine.dispose(tensor)
      outside.update('w', wanted, gradient, { scale: 0.5, factor: 0.3 })
    }
    for (const [i, value] of wanted.entries()) expect(values[i]).toBeCloseTo(value, 5)
  })

  for (const balancer of ['equal weights', 'parameters'] as const) {
    test(`a learner learns what it learns on the plain engine (${balancer})`, () => {
      const at = balancer === 'parameters' ? ({ at: 'parameters' } as const) : {}
      const found = taught(smallLearner({ engine, ...at }), 30)
      const wanted = taught(smallLearner({ engine: plainEngine('float32'), ...at }), 30)
      const values = wanted.parts.parameters.values
      const worst = found.parts.parameters.values.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - values[i]!)),
        0,
      )
      expect(worst).toBeLessThan(2e-3)
      expect(engine.liveTensors()).toBe(0)
    })
  }

  test('the same batches leave the same bytes', () => {
    const digests = [1, 2].map(() =>
      createHash('sha256')
        .update(taught(smallLearner({ engine }), 20).snapshot())
        .digest('hex'),
    )
    expect(digests[0]).toBe(digests[1])
  })

  test('a weight that is not a number stops the learner before anything moves', () => {
    const learner = taught(smallLearner({ engine }), 3)
    learner.parts.parameters.values.fill(Number.NaN, 0, 4)
    const before = learner.snapshot()
    const random = randomFrom(9)
    const learn = (): unknown => learner.learn(randomFeatures(random, 40), randomLabels(random, 40))
    expect(learn).toThrow(expect.objectContaining({ code: 'NUMERIC' }))
    expect(Buffer.from(learner.snapshot()).equals(Buffer.from(before))).toBe(true)
  })
}
