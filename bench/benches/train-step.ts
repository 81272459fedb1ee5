/** @file One training step, whole: lookup, forward, backward, dense and sparse update, beside the same model in PyTorch. */

import { availableParallelism } from 'node:os'
import { openEngine } from '../../src/tensors/engine-choice.ts'
import type { Bench, BenchContext, Figure, Floor, Measured } from '../bench.ts'
import { median, takeTurns } from '../harness.ts'
import { productsFloor } from '../products-floor.ts'
import { type ModelName, rigBatches, rigLearner, type StepTime, timedSteps } from '../rig.ts'
import { TorchTwin } from '../torch.ts'

const ROUNDS = 7
const WARMUPS = 2
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
    let torch = { version: 'none', threads: 0 }
    for (const one of CASES) {
      const learner = rigLearner({ engine, model: one.model, tasks: TASKS })
      const measured = await beside(context, learner, one)
      torch = measured.torch
      figures.push(...measured.figures)
      context.say(linesOf(measured.figures))
      if (one.model === 'mmoe') {
        floors.push(...productsFloor(engine, learner.parts.model.parameters, one.batch))
      }
    }
    return {
      figures,
      floors,
      versions: { engine: name, torch: torch.version },
      facts: {
        rows_of_table: 1_000_000,
        fields: 16,
        dim: 16,
        tasks: TASKS,
        'threads of ours': Number(process.env.MILLRACE_THREADS ?? availableParallelism()),
        'threads of torch': torch.threads,
      },
    } satisfies Measured
  },
}

interface Beside {
  readonly figures: readonly Figure[]
  readonly torch: Awaited<ReturnType<TorchTwin['about']>>
}

async function beside(
  { folder, rounds = ROUNDS }: BenchContext,
  learner: ReturnType<typeof rigLearner>,
  { model, batch, target }: (typeof CASES)[number],
): Promise<Beside> {
  const batches = rigBatches(batch, TASKS)
  const steps = batch >= 1024 ? 8 : 24
  const twin = new TorchTwin({ model, batch, tasks: TASKS, steps }, batches, folder)
  const used: Record<'ours' | 'torch', number[]> = { ours: [], torch: [] }
  const rate = (side: 'ours' | 'torch', { ms, processor_ms }: StepTime): number => {
    used[side].push(processor_ms)
    return (batch / ms) * 1000
  }
  try {
    const torch = await twin.about()
    const values = await takeTurns(
      [
        { name: 'ours', round: () => rate('ours', timedSteps(learner, batches, steps)) },
        { name: 'torch', round: async () => rate('torch', await twin.timedSteps()) },
      ],
      { rounds, warmups: WARMUPS },
    )
    const label = `${model}, batch ${batch}`
    const rates: Figure = {
      label,
      unit: 'samples/s',
      rounds: values.get('ours') ?? [],
      against: { name: 'torch', rounds: values.get('torch') ?? [] },
      better: 'higher',
      target,
    }
    const processor: Figure = {
      label: `${label}, processor time of a step`,
      unit: 'ms',
      rounds: used.ours.slice(WARMUPS),
      against: { name: 'torch', rounds: used.torch.slice(WARMUPS) },
      better: 'lower',
    }
    return { figures: [rates, processor], torch }
  } finally {
    await twin.close()
  }
}

function linesOf(figures: readonly Figure[]): string {
  return figures
    .map(({ label, rounds, against, unit }) => {
      const other = median(against?.rounds ?? [])
      return `${label}: ${median(rounds).toFixed(1)} ${unit}, ${against?.name} ${other.toFixed(1)}`
    })
    .join('\n')
}
