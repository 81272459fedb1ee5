/** @file One training step, whole: lookup, forward, backward, dense and sparse update, beside the same model in PyTorch. */

import { openEngine } from '../../src/tensors/engine-choice.ts'
import type { Bench, BenchContext, Figure, Floor, Measured } from '../bench.ts'
import { median, takeTurns } from '../harness.ts'
import { productsFloor } from '../products-floor.ts'
import { type ModelName, rigBatches, rigLearner, stepMs } from '../rig.ts'
import { TorchTwin } from '../torch.ts'

const ROUNDS = 11
const TASKS = 3

/** Each with its ratio to reach. */
const CASES: readonly { model: ModelName; batch: number; target: number }[] = [
  { model: 'mmoe', batch: 1024, target: 1.5 },
  { model: 'mmoe', batch: 256, target: 1.3 },
  { model: 'ple', batch: 1024, target: 1.5 },
  { model: 'ple', batch: 256, target: 1.3 },
  { model: 'stem', batch: 1024, target: 1.5 },
  { model: 'stem', batch: 256, target: 1.3 },
]

export const trainStepBench: Bench = {
  name: 'train-step',
  summary:
    'One training step (lookup, forward, backward, Adam, sparse Adagrad) beside PyTorch eager with sparse Adagrad and fused Adam, same batches, same number of threads.',
  peers: ['torch'],
  run: async (context) => {
    const { engine, name, reason } = await openEngine('auto')
    context.say(`engine ${name}: ${reason}`)
    const figures: Figure[] = []
    const floors: Floor[] = []
    let torch = 'none'
    for (const one of CASES) {
      const learner = rigLearner({ engine, model: one.model, tasks: TASKS })
      const measured = await beside(context, learner, one)
      torch = measured.torch
      figures.push(measured.figure)
      context.say(
        `${measured.figure.label}: ${median(measured.figure.rounds).toFixed(0)} samples/s`,
      )
      if (one.model === 'mmoe') {
        floors.push(...productsFloor(engine, learner.parts.model.parameters, one.batch))
      }
    }
    return {
      figures,
      floors,
      versions: { engine: name, torch },
      facts: { rows_of_table: 1_000_000, fields: 16, dim: 16, tasks: TASKS },
    } satisfies Measured
  },
}

async function beside(
  { folder, rounds = ROUNDS }: BenchContext,
  learner: ReturnType<typeof rigLearner>,
  { model, batch, target }: (typeof CASES)[number],
): Promise<{ figure: Figure; torch: string }> {
  const batches = rigBatches(batch, TASKS)
  const steps = batch >= 1024 ? 8 : 24
  const twin = new TorchTwin({ model, batch, tasks: TASKS, steps }, batches, folder)
  try {
    const torch = await twin.version()
    const rate = (ms: number): number => (batch / ms) * 1000
    const values = await takeTurns(
      [
        { name: 'ours', round: () => rate(stepMs(learner, batches, steps)) },
        { name: 'torch', round: async () => rate(await twin.stepMs()) },
      ],
      { rounds, warmups: 2 },
    )
    const figure: Figure = {
      label: `${model}, batch ${batch}`,
      unit: 'samples/s',
      rounds: values.get('ours') ?? [],
      against: { name: 'torch', rounds: values.get('torch') ?? [] },
      better: 'higher',
      target,
    }
    return { figure, torch }
  } finally {
    await twin.close()
  }
}
