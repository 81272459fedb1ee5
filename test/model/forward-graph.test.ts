/** @file A model's forward pass as data gives the model's logits, for every kind and for any number of rows. */

import { expect, test } from 'vitest'
import { forwardGraph } from '../../src/model/forward-graph.ts'
import { MODELS } from '../../src/model/models.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { Tape } from '../../src/tensors/tape.ts'
import { type ModelCase, modelOf, randomValues, runCase } from '../contracts/model-case.ts'
import { runGraph } from './run-graph.ts'

const cases: Omit<ModelCase, 'name'>[] = MODELS.flatMap(({ kind }) => {
  const tasks = kind === 'esmm' ? 2 : 3
  const small = { kind, dim: 3, tower_hidden: kind === 'dephn' ? [] : [4] }
  return [
    { tasks, dense: 0, options: small },
    { tasks, dense: 2, options: { ...small, wide: true, dml: {} } },
  ]
})
const chain = [{ task: 'task-1', given: 'task-0' }]
cases.push(
  { tasks: 3, dense: 1, options: { kind: 'mmoe', dim: 3, gate_hidden: [4], conditional: chain } },
  { tasks: 2, dense: 1, options: { kind: 'ple', dim: 3, levels: 2, shared_streams: 'per-expert' } },
  {
    tasks: 2,
    dense: 1,
    options: { kind: 'mmoe', dim: 3, tower_hidden: [], dml: { gate_layers: 2 } },
  },
)

test.each(cases.map((one) => [JSON.stringify(one.options), one] as const))('%s', (_, given) => {
  const model = modelOf({ name: '', ...given })
  const graph = forwardGraph(model)
  expect(JSON.parse(JSON.stringify(graph))).toEqual(graph)
  const values = randomValues(model, 3)
  const tape = new Tape(plainEngine('float64'))
  const { forward } = runCase(model, values, tape)
  const logits = runGraph(graph, (name) => {
    const { values: data, shape } = values.get(name)!
    return { shape, data: [...data] }
  })
  expect(logits).toHaveLength(given.tasks)
  logits.forEach(({ shape, data }, task) => {
    const expected = tape.value(forward.logits[task]!)
    expect(shape.filter((size) => size !== 1)).toEqual([expected.length])
    data.forEach((value, row) => {
      expect(value).toBeCloseTo(expected[row]!, 9)
    })
  })
})
