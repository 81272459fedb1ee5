/** @file The WebAssembly engine beside tfjs as it comes: same backend, same model, its own autograd and optimizer. */

import { openEngine } from '../../src/tensors/engine-choice.ts'
import type { Bench, Measured } from '../bench.ts'
import { takeTurns } from '../harness.ts'
import { versionOf } from '../machine.ts'
import { NaiveTfjs } from '../naive-tfjs.ts'
import { productsFloor } from '../products-floor.ts'
import { rigBatches, rigLearner, stepMs } from '../rig.ts'

const ROUNDS = 5
const BATCH = 1024
const TASKS = 3

export const wasmBench: Bench = {
  name: 'wasm',
  summary:
    'A whole step on the WebAssembly engine beside the dense part of it written with tfjs and its autograd, on the same backend, one thread.',
  peers: ['tfjs'],
  run: async ({ rounds = ROUNDS }) => {
    const { engine } = await openEngine('wasm')
    const batches = rigBatches(BATCH, TASKS)
    const learner = rigLearner({ engine, tasks: TASKS })
    const naive = await NaiveTfjs.open(TASKS)
    const x = Float32Array.from({ length: BATCH * 256 }, (_, i) => Math.sin(i))
    const [batch] = batches
    if (batch === undefined) throw new RangeError('no batch')
    const values = await takeTurns(
      [
        { name: 'ours', round: () => stepMs(learner, batches, 2) },
        { name: 'tfjs', round: () => naive.stepMs(x, batch) },
      ],
      { rounds },
    )
    return {
      figures: [
        {
          label: 'mmoe, batch 1024',
          unit: 'ms',
          // The other way round, so that the ratio reads as "times as fast".
          rounds: values.get('tfjs') ?? [],
          against: { name: 'ours', rounds: values.get('ours') ?? [] },
          better: 'higher',
          target: 12,
        },
      ],
      floors: productsFloor(engine, learner.parts.model.parameters, BATCH),
      versions: {
        'tfjs-backend-wasm': versionOf('@tensorflow/tfjs-backend-wasm'),
      },
    } satisfies Measured
  },
}
