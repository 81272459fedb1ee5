/** @file What balancing adds to a step: Gram-based methods and PMTRec beside equal weights; one backward pass per task in PyTorch. */

import { rowBalanceOptions } from '../../src/balance/row-balancers.ts'
import { openEngine } from '../../src/tensors/engine-choice.ts'
import type { Bench, BenchContext, Curve, Figure, Measured } from '../bench.ts'
import { type Contestant, median, takeTurns } from '../harness.ts'
import { type RigOptions, rigBatches, rigLearner, stepMs } from '../rig.ts'
import { TorchTwin } from '../torch.ts'

const ROUNDS = 7
const BATCH = 1024
const STEPS = 6

/** Methods on the Gram matrix that differ in what they solve; all others cost as one of these. */
const METHODS = ['pcgrad', 'mgda', 'nash-mtl'] as const

export const balancingBench: Bench = {
  name: 'balancing',
  summary:
    'A step with balanced task gradients beside one with equal weights, MMoE, batch 1,024; and the same in PyTorch with a backward pass per task.',
  peers: ['torch'],
  run: async (context) => {
    const { engine, name, reason } = await openEngine('auto')
    context.say(`engine ${name}: ${reason}`)
    const figures: Figure[] = []
    const points: [number, number][] = []
    const torchPoints: [number, number][] = []
    let torch = 'none'
    for (const [tasks, target] of [
      [3, 1.12],
      [8, 1.2],
    ] as const) {
      const ours = await gramMethods(context, { engine, tasks }, target)
      figures.push(...ours)
      points.push([tasks, ratioOf(ours[0])])
      const theirs = await perTaskBackward(context, tasks)
      torch = theirs.version
      figures.push(theirs.figure)
      torchPoints.push([tasks, ratioOf(theirs.figure)])
    }
    const curve: Curve = {
      title: 'Cost of balancing over the number of tasks',
      x: 'tasks',
      y: 'times the step with equal weights',
      lines: [
        { name: 'Gram matrix at the cut', points: points },
        { name: 'PyTorch, a backward pass per task', points: torchPoints },
      ],
    }
    return { figures, curves: [curve], versions: { engine: name, torch } } satisfies Measured
  },
}

async function gramMethods(
  { rounds = ROUNDS, say }: BenchContext,
  options: RigOptions & { readonly tasks: number },
  target: number,
): Promise<Figure[]> {
  const { tasks } = options
  const batches = rigBatches(BATCH, tasks)
  const side = (name: string, settings: Partial<RigOptions>): Contestant => {
    const learner = rigLearner({ ...options, ...settings })
    return { name, round: () => stepMs(learner, batches, STEPS) }
  }
  const rowBalance = rowBalanceOptions.parse({ kind: 'pmtrec' })
  const values = await takeTurns(
    [
      side('equal weights', {}),
      ...METHODS.map((kind) => side(kind, { balance: { kind } })),
      ...(tasks === 3 ? [side('pmtrec', { rowBalance })] : []),
    ],
    { rounds, warmups: 2 },
  )
  const equal = { name: 'equal weights', rounds: values.get('equal weights') ?? [] }
  return [...values.keys()]
    .filter((name) => name !== equal.name)
    .map((name): Figure => {
      const figure: Figure = {
        label: `${name}, ${tasks} tasks`,
        unit: 'ms',
        rounds: values.get(name) ?? [],
        against: equal,
        better: 'lower',
        target: name === 'pmtrec' ? 1.6 : target,
      }
      say(`${figure.label}: ${ratioOf(figure).toFixed(3)} times equal weights`)
      return figure
    })
}

async function perTaskBackward(
  { folder, rounds = ROUNDS, say }: BenchContext,
  tasks: number,
): Promise<{ figure: Figure; version: string }> {
  const batches = rigBatches(BATCH, tasks)
  const settings = { model: 'mmoe', batch: BATCH, tasks, steps: STEPS } as const
  const sum = new TorchTwin(settings, batches, folder)
  const each = new TorchTwin({ ...settings, backward: 'per-task' }, batches, folder)
  try {
    const values = await takeTurns(
      [
        { name: 'sum', round: () => sum.stepMs() },
        { name: 'each', round: () => each.stepMs() },
      ],
      { rounds: Math.min(rounds, 5) },
    )
    const figure: Figure = {
      label: `PyTorch with a backward pass per task, ${tasks} tasks`,
      unit: 'ms',
      rounds: values.get('each') ?? [],
      against: { name: 'PyTorch, equal weights', rounds: values.get('sum') ?? [] },
      better: 'lower',
    }
    say(`${figure.label}: ${ratioOf(figure).toFixed(3)} times equal weights`)
    return { figure, version: await sum.version() }
  } finally {
    await Promise.all([sum.close(), each.close()])
  }
}

function ratioOf(figure: Figure | undefined): number {
  return median(figure?.rounds ?? []) / median(figure?.against?.rounds ?? [])
}
