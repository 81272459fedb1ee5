import { expect, test } from 'vitest'
import { buildModel } from '../../src/model/build-model.ts'
import { modelOptions } from '../../src/model/options.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { Tape } from '../../src/tensors/tape.ts'
import { lossesOf, ROWS, randomValues, runCase } from '../contracts/model-case.ts'

const TASKS = ['click', 'like', 'share']
const DIM = 2
const FIELDS = 3

const stem = buildModel(
  modelOptions.parse({ kind: 'stem', dim: DIM, expert_hidden: [5], gate_hidden: [4] }),
  { tasks: TASKS, fields: FIELDS, dense: 0 },
)

test('a row holds one slice per task and a shared one', () => {
  expect(stem.columnsPerField).toBe((TASKS.length + 1) * DIM)
})

test('a loss trains its own slice and the shared one of every field, and exactly nothing in the others', () => {
  const pass = runCase(stem, randomValues(stem, 8), new Tape(plainEngine('float64')))
  const x = pass.leaves.get('x')!
  lossesOf(pass, 8).forEach((loss, task) => {
    const gradient = pass.tape.gradientValues(pass.tape.backward([{ of: loss }], [x])[0], x)
    const trained = new Set<number>()
    const columns = stem.columnsPerField
    for (let i = 0; i < ROWS * FIELDS * columns; i++) {
      if (gradient[i] !== 0) trained.add(Math.floor((i % columns) / DIM))
    }
    expect([...trained].sort()).toEqual([task, TASKS.length])
  })
})
