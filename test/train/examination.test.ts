import { describe, expect, test } from 'vitest'
import { balancerFrom } from '../../src/balance/balancers.ts'
import { MODELS } from '../../src/model/models.ts'
import { randomBatches, smallLearner, stateOf, TASKS } from './small-learner.ts'

/** Backbones whose experts or bottom end in a ReLU. */
const WITH_RELU = ['shared-bottom', 'mmoe', 'omoe', 'ple', 'stem']

describe.each(MODELS.filter(({ kind }) => kind !== 'esmm').map(({ kind }) => kind))(
  'a look inside %s',
  (kind) => {
    const learner = smallLearner({ model: { kind, dim: 3 } })
    const [batch] = randomBatches(1, 7)
    if (batch === undefined) throw new Error('no batch')

    test('changes nothing', () => {
      const before = stateOf(learner)
      learner.examine(batch.features, batch.labels)
      expect(stateOf(learner)).toBe(before)
    })

    test('gives cosines within [-1, 1] that are 1 with itself, and gates that sum to 1', () => {
      const { cosines, gates, layers } = learner.examine(batch.features, batch.labels)
      expect(cosines).toHaveLength(TASKS.length ** 2)
      for (const [at, cosine] of cosines.entries()) {
        expect(Math.abs(cosine)).toBeLessThanOrEqual(1 + 1e-6)
        expect(cosine).toBeCloseTo(cosines[(at % 3) * 3 + Math.floor(at / 3)] ?? Number.NaN, 6)
      }
      for (const { gate, shares } of gates) {
        expect(
          shares.reduce((sum, share) => sum + share, 0),
          gate,
        ).toBeCloseTo(1, 5)
      }
      for (const { units, dead } of layers) expect(dead).toBeLessThanOrEqual(units)
      if (WITH_RELU.includes(kind)) expect(layers.length).toBeGreaterThan(0)
    })
  },
)

test('the cosines are those that a balancer of gradients sees on the same batch', () => {
  const learner = smallLearner({ balancer: balancerFrom({ kind: 'pcgrad' }) })
  const [batch] = randomBatches(1, 3)
  if (batch === undefined) throw new Error('no batch')
  const { cosines } = learner.examine(batch.features, batch.labels)
  expect(learner.learn(batch.features, batch.labels).cosines).toEqual(cosines)
})

test('a unit whose bias is far below 0 is dead', () => {
  const learner = smallLearner()
  const bias = learner.parts.parameters.view('expert.0.layer.0.bias')
  bias.fill(-1000, 0, 2)
  const [batch] = randomBatches(1, 3)
  if (batch === undefined) throw new Error('no batch')
  const { layers } = learner.examine(batch.features, batch.labels)
  const layer = layers.find((one) => one.layer === 'expert.0.layer.0')
  expect(layer?.dead).toBeGreaterThanOrEqual(2)
  expect(layer?.dead).toBeLessThan(5)
})
