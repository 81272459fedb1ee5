/** @file Row balancers inside the learner: what they do to embedding rows, what they leave alone, and that their memory is saved. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { balancerFrom } from '../../src/balance/balancers.ts'
import { rowBalanceOptions, rowBalancerFrom } from '../../src/balance/row-balancers.ts'
import { allRows, exportRows } from '../../src/embeddings/table-rows.ts'
import type { Learner } from '../../src/train/learner.ts'
import {
  randomBatches,
  restored,
  type SmallLearnerOptions,
  smallLearner,
  stateOf,
} from './small-learner.ts'

const rows = (settings: object) => rowBalancerFrom(rowBalanceOptions.parse(settings))
const pmtrec = (options = {}) => rows({ kind: 'pmtrec', ...options })
const metabalance = (options = {}) => rows({ kind: 'metabalance', ...options })

const STEM = { kind: 'stem', dim: 3, tower_hidden: [4], expert_hidden: [4], gate_hidden: [] }
const WIDE = { kind: 'mmoe', dim: 3, experts: 2, expert_hidden: [5], wide: true }

/** Values of all rows, in order of insertion. */
function embeddings({ parts: { table } }: Learner): Float32Array {
  return exportRows(table, allRows(table)).values
}

function expectSimilar(actual: Float32Array, wanted: Float32Array, where: string): void {
  expect(actual.length, where).toBe(wanted.length)
  const worst = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0)
  expect(worst, where).toBeLessThan(1e-5)
}

function learnAll(learner: Learner, seed: number, tasks?: number): Learner {
  for (const { features, labels } of randomBatches(5, seed, tasks)) learner.learn(features, labels)
  return learner
}

const DENSE: readonly (readonly [string, SmallLearnerOptions])[] = [
  ['equal', {}],
  ['equal, with a wide part', { model: WIDE }],
  ['equal, on STEM', { model: STEM }],
]

describe.each(DENSE)('beside %s', (_, options) => {
  test('a huge tau that sums is as if there were no row balancer (seed 31)', () => {
    fc.assert(
      fc.property(fc.nat(1000), (seed) => {
        const flat = pmtrec({ tau: 1e12, mode: 'masked-sum' })
        const balanced = learnAll(smallLearner({ ...options, rowBalancer: flat }), seed)
        const plain = learnAll(smallLearner(options), seed)
        expectSimilar(embeddings(balanced), embeddings(plain), `seed ${seed}`)
        expectSimilar(
          balanced.parts.parameters.values,
          plain.parts.parameters.values,
          `seed ${seed}`,
        )
      }),
      { seed: 31, numRuns: 8 },
    )
  })

  test('a single task is learned as if there were no row balancer', () => {
    for (const rowBalancer of [pmtrec({ tau: 0.01, alpha: 2 }), metabalance()]) {
      const one = { ...options, tasks: ['click'] }
      const balanced = learnAll(smallLearner({ ...one, rowBalancer }), 3, 1)
      const plain = learnAll(smallLearner(one), 3, 1)
      expectSimilar(embeddings(balanced), embeddings(plain), rowBalancer.name)
    }
  })

  test('a small tau changes the rows and not, in the same step, the dense weights', () => {
    const [batch] = randomBatches(1, 6)
    const balanced = smallLearner({ ...options, rowBalancer: pmtrec({ tau: 1e-3 }) })
    const plain = smallLearner(options)
    for (const learner of [balanced, plain]) learner.learn(batch!.features, batch!.labels)
    expect(embeddings(balanced)).not.toEqual(embeddings(plain))
    expectSimilar(balanced.parts.parameters.values, plain.parts.parameters.values, 'dense')
  })
})

test('paper mode with a huge tau gives each row the mean of its task gradients', () => {
  // Adagrad that starts at 0 makes the first step of every column the same whatever its scale; this one starts at 0.1.
  const [batch] = randomBatches(1, 12)
  const mean = smallLearner({ rowBalancer: pmtrec({ tau: 1e12, mode: 'paper' }) })
  const sum = smallLearner({ rowBalancer: pmtrec({ tau: 1e12, mode: 'masked-sum' }) })
  for (const learner of [mean, sum]) learner.learn(batch!.features, batch!.labels)
  const means = rowGradients(mean)
  rowGradients(sum).forEach((g, i) => {
    expect(means[i]).toBeCloseTo(g / 3, 4)
  })
})

/** |g| of every column after one step of Adagrad from 0.1: its accumulator is 0.1 + g^2. */
function rowGradients({ parts: { table } }: Learner): number[] {
  const [group] = table.columns.groups
  return Array.from({ length: table.rows }, (_, row) => {
    const bytes = table.record(row)
    const record = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    const state = record.subarray(group!.stateAt, group!.stateAt + group!.width)
    return Array.from(state, (n) => Math.sqrt(Math.max(0, n - 0.1)))
  }).flat()
}

test('on STEM, task slices follow their own task whatever the row balancer does', () => {
  const [batch] = randomBatches(1, 6)
  const balanced = smallLearner({ model: STEM, rowBalancer: pmtrec({ tau: 1e-3 }) })
  const plain = smallLearner({ model: STEM })
  for (const learner of [balanced, plain]) learner.learn(batch!.features, batch!.labels)
  const width = balanced.parts.model.columnsPerField
  expect(width).toBe(4 * 3)
  const pick = (learner: Learner, shared: boolean): number[] =>
    [...embeddings(learner)].filter((_, at) => at % width >= width - 3 === shared)
  expectSimilar(
    Float32Array.from(pick(balanced, false)),
    Float32Array.from(pick(plain, false)),
    'slices',
  )
  expect(pick(balanced, true)).not.toEqual(pick(plain, true))
})

const MIXES: readonly (readonly [string, SmallLearnerOptions])[] = [
  ['pmtrec that follows norms', { rowBalancer: pmtrec({ relativeTau: true, rowDecay: 0.9 }) }],
  ['metabalance per row', { rowBalancer: metabalance(), model: WIDE }],
  ['metabalance per row on STEM', { rowBalancer: metabalance(), model: STEM }],
  [
    'metabalance per row beside PCGrad at the parameters',
    { rowBalancer: metabalance(), balancer: balancerFrom({ kind: 'pcgrad' }), at: 'parameters' },
  ],
  [
    'pmtrec beside FAMO',
    { rowBalancer: pmtrec({ relativeTau: true }), balancer: balancerFrom({ kind: 'famo' }) },
  ],
  [
    'pmtrec beside DB-MTL',
    { rowBalancer: pmtrec(), balancer: balancerFrom({ kind: 'db-mtl' }), at: 'parameters' },
  ],
]

test.each(MIXES)('%s, saved at any step, has the same future', (_, options) => {
  const learner = smallLearner(options)
  for (const [step, { features, labels }] of randomBatches(6, 15).entries()) {
    const copy = restored(learner, options)
    learner.learn(features, labels)
    copy.learn(features, labels)
    expect(stateOf(copy), `step ${step}`).toBe(stateOf(learner))
  }
})

test('norms are remembered per row and task, and are no part of what is published', () => {
  const options = { rowBalancer: metabalance() }
  const learner = learnAll(smallLearner(options), 4)
  const { table, model } = learner.parts
  const [group] = table.columns.groups
  expect(group).toMatchObject({ memory: 3 })
  expect(table.columns.width).toBe(model.columnsPerField)
  const bytes = table.record(0)
  const record = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  const norms = record.subarray(group!.memoryAt, group!.memoryAt + 3)
  expect(norms.every((norm) => norm > 0)).toBe(true)
})

test('a row whose combined gradient is zero is saved again only when its memory changed', () => {
  const remembering = (memory: (step: number) => number) =>
    smallLearner({
      rowBalancer: {
        ...metabalance(),
        combine: (block, state, out) => {
          block.norms?.fill(memory(block.step))
          out.fill(0)
          return state
        },
      },
    })
  const [batch] = randomBatches(1, 2)
  for (const [memory, changed] of [
    [(step: number) => step + 1, true],
    [() => 7, false],
  ] as const) {
    const learner = remembering(memory)
    const { table } = learner.parts
    learner.learn(batch!.features, batch!.labels)
    table.takeDirty('checkpoint')
    learner.learn(batch!.features, batch!.labels)
    expect(table.dirtyCount('checkpoint')).toBe(changed ? table.rows : 0)
  }
})
