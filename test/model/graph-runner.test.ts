/**
 * @file Scoring by the graph: bit for bit the forward pass that trains where rows have nothing in common, the same within rounding
 * where they share a user; for every kind of model, on every engine, without a leak.
 */

import { describe, expect, test } from 'vitest'
import { layOutColumns } from '../../src/embeddings/columns.ts'
import { EmbeddingTable } from '../../src/embeddings/table.ts'
import type { EncodedFeatures, SlotKeys } from '../../src/features/encoded-batch.ts'
import { sharedParts } from '../../src/features/shared-parts.ts'
import { buildModel } from '../../src/model/build-model.ts'
import { EmbeddedBatch, modelInput } from '../../src/model/embedded-batch.ts'
import { forwardGraph } from '../../src/model/forward-graph.ts'
import { GraphRunner } from '../../src/model/graph-runner.ts'
import type { Model } from '../../src/model/model.ts'
import { MODELS } from '../../src/model/models.ts'
import { modelOptions } from '../../src/model/options.ts'
import { Parameters } from '../../src/model/parameters.ts'
import { readSplit } from '../../src/model/split-input.ts'
import { tableColumns } from '../../src/model/table-columns.ts'
import { type Random, randomFrom } from '../../src/random.ts'
import type { Engine } from '../../src/tensors/engine.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { Tape } from '../../src/tensors/tape.ts'
import { openFloat32Engines } from '../tensors/open-engines.ts'

const FIELDS = 4
const ROWS = 12
const TASKS = ['click', 'like']

const SETTINGS = MODELS.flatMap(({ kind }) => {
  const small = { kind, dim: 3 }
  return [
    { options: small, dense: 0 },
    { options: { ...small, wide: true, dml: {} }, dense: 3 },
  ]
})

/** Bags of ids; in `shared` slots and dense columns every row has what the first one has. */
function randomRows(random: Random, shared: readonly number[], dense: number): EncodedFeatures {
  const slots = Array.from({ length: FIELDS }, (_, s): SlotKeys => {
    const bags: number[][] = []
    for (let row = 0; row < ROWS; row++) {
      const bag = Array.from({ length: 1 + random.integer(3) }, () => random.integer(40))
      bags.push(shared.includes(s) ? (bags[0] ?? bag) : bag)
    }
    const lo = Uint32Array.from(bags.flat())
    const starts = new Uint32Array(ROWS + 1)
    for (const [row, bag] of bags.entries()) starts[row + 1] = starts[row]! + bag.length
    return { hi: new Uint32Array(lo.length).fill(s), lo, starts, pooling: s === 1 ? 'sum' : 'mean' }
  })
  const values = Float32Array.from({ length: ROWS * dense }, () => random.normal())
  for (const column of shared.filter((c) => c < dense)) {
    for (let row = 1; row < ROWS; row++) values[row * dense + column] = values[column]!
  }
  return { rows: ROWS, slots, dense: values, denseWidth: dense }
}

interface Served {
  readonly model: Model
  readonly parameters: Parameters
  readonly embedded: EmbeddedBatch
}

function served(options: object, dense: number): Served {
  const model = buildModel(modelOptions.parse(options), { tasks: TASKS, fields: FIELDS, dense })
  const table = new EmbeddingTable(layOutColumns(tableColumns(model, { deviation: 0.7 }), 3))
  for (let id = 0; id < 20; id++) for (let s = 0; s < FIELDS; s++) table.insertOne(s, id)
  // Some values of their own: the wide columns start at 0.
  for (let row = 0; row < table.rows; row += 3) {
    table.changeValuesOf(row).forEach((value, c, values) => {
      values[c] = value + Math.sin(row + c)
    })
  }
  const parameters = new Parameters(model.parameters, 5)
  return { model, parameters, embedded: new EmbeddedBatch(table, model) }
}

/** The forward pass as the learner makes it. */
function onTape(engine: Engine, { model, parameters, embedded }: Served, rows: EncodedFeatures) {
  const tape = new Tape(engine)
  const shapes = new Map(model.parameters.map(({ name, shape }) => [name, shape]))
  const { logits } = model.forward(
    tape,
    (name) => tape.constant(parameters.view(name), shapes.get(name)!),
    modelInput(tape, embedded.read(rows)),
  )
  const scores = logits.flatMap((logit) => [...tape.value(tape.sigmoid(logit))])
  tape.dispose()
  return Float32Array.from(scores)
}

describe.each(SETTINGS.map((one) => [JSON.stringify(one), one] as const))('%s', (_, setting) => {
  const model = served(setting.options, setting.dense)
  const engine = plainEngine()
  const runner = new GraphRunner(engine, forwardGraph(model.model), model.parameters)
  const scoresOf = (rows: EncodedFeatures) => runner.probabilities(readSplit(model.embedded, rows))

  test('rows with nothing in common score bit for bit as on the tape', () => {
    const rows = randomRows(randomFrom(1), [], setting.dense)
    expect(scoresOf(rows)).toEqual(onTape(engine, model, rows))
  })

  test.each([[[0, 1]], [[2]], [[0, 1, 3]], [[0, 1, 2, 3]]])(
    'rows that share %j score the same within rounding',
    (shared) => {
      const rows = randomRows(randomFrom(2), shared, setting.dense)
      expect(sharedParts(rows).slots.map(Number)).toEqual(
        Array.from({ length: FIELDS }, (_, s) => Number(shared.includes(s))),
      )
      const expected = onTape(engine, model, rows)
      scoresOf(rows).forEach((score, i) => {
        expect(Math.abs(score - expected[i]!)).toBeLessThan(1e-6)
      })
    },
  )

  test('changed parameters count after `release`, and nothing is left in the engine', () => {
    const rows = randomRows(randomFrom(3), [0, 1], setting.dense)
    scoresOf(rows)
    const { values } = model.parameters
    values.forEach((value, i) => {
      values[i] = value * 1.5
    })
    runner.release()
    const [scores, expected] = [scoresOf(rows), onTape(engine, model, rows)]
    for (const [i, score] of scores.entries()) {
      expect(Math.abs(score - expected[i]!)).toBeLessThan(1e-6)
    }
    runner.release()
    expect(engine.liveTensors()).toBe(0)
  })
})

test('every engine scores as the plain one, from request to request', async () => {
  const model = served({ kind: 'mmoe', dim: 3, wide: true }, 2)
  const graph = forwardGraph(model.model)
  const plain = new GraphRunner(plainEngine(), graph, model.parameters)
  for (const engine of await openFloat32Engines()) {
    const runner = new GraphRunner(engine, graph, model.parameters)
    for (const [seed, shared] of [[0, 1], [2], [], [0, 1]].entries()) {
      const rows = randomRows(randomFrom(seed), shared, 2)
      const expected = plain.probabilities(readSplit(model.embedded, rows)).slice()
      runner.probabilities(readSplit(model.embedded, rows)).forEach((score, i) => {
        expect(Math.abs(score - expected[i]!), engine.name).toBeLessThan(1e-5)
      })
    }
    const before = engine.liveTensors()
    runner.release()
    expect(engine.liveTensors()).toBeLessThan(before)
  }
})
