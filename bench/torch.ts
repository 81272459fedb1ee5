/** @file The PyTorch twin of the rig in a process of its own. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { packageFile } from '../topology/package-files.ts'
import { PeerProcess } from './peer-process.ts'
import { peerProduct } from './peers.ts'
import { type Batch, type ModelName, type StepTime, writeBatches } from './rig.ts'

export interface TorchOptions {
  readonly model: ModelName
  readonly batch: number
  readonly tasks: number
  /** `sum`: one backward pass of the sum of losses; `per-task`: one for each task, then PCGrad on the shared parameters. */
  readonly backward?: 'sum' | 'per-task'
  readonly steps: number
}

export class TorchTwin {
  readonly #peer: PeerProcess

  /** Writes the batches into `folder` for it and starts it; it takes as many threads as there are processors. */
  constructor(options: TorchOptions, batches: readonly Batch[], folder: string) {
    const { model, batch, tasks, backward = 'sum', steps } = options
    const own = join(folder, `${model}-${batch}-${tasks}-${backward}`)
    mkdirSync(own, { recursive: true })
    writeBatches(batches, own)
    const script = packageFile('bench/peers/torch/train_step.py')
    const values = { model, batch, tasks, backward, steps }
    const args = Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)])
    this.#peer = new PeerProcess(peerProduct('torch'), ['-W', 'ignore', script, ...args], own)
  }

  /** The mean over the steps of a round. */
  timedSteps(): Promise<StepTime> {
    return this.#peer.ask<StepTime>('round')
  }

  async stepMs(): Promise<number> {
    return (await this.timedSteps()).ms
  }

  async version(): Promise<string> {
    return (await this.about()).version
  }

  about(): Promise<{ readonly version: string; readonly threads: number }> {
    return this.#peer.ask('version')
  }

  close(): Promise<void> {
    return this.#peer.close()
  }
}
