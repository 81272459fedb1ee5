/** @file The step as one writes it with tfjs alone: its tensors, its autograd, its Adam, on its WebAssembly backend. */

import { createRequire } from 'node:module'
import type * as tfjs from '@tensorflow/tfjs-core'
import { peerProduct } from './peers.ts'
import { type Batch, FIELDS } from './rig.ts'

const DIM = 16
const EXPERTS = 8
const HIDDEN = 256
const WIDTH = 128
const TOWER = 64

type Tfjs = typeof tfjs

/** MMoE on embedded inputs; the table is left out, which favours it. */
export class NaiveTfjs {
  readonly #tf: Tfjs
  readonly #weights: tfjs.Variable[] = []
  readonly #optimizer: tfjs.Optimizer
  readonly #tasks: number

  private constructor(tf: Tfjs, tasks: number) {
    this.#tf = tf
    this.#optimizer = tf.train.adam(1e-3)
    this.#tasks = tasks
    const inputs = FIELDS * DIM
    for (let k = 0; k < EXPERTS; k++)
      this.#add([inputs, HIDDEN], [HIDDEN], [HIDDEN, WIDTH], [WIDTH])
    for (let task = 0; task < tasks; task++) {
      this.#add([inputs, EXPERTS], [EXPERTS], [WIDTH, TOWER], [TOWER], [TOWER, 1], [1])
    }
  }

  static async open(tasks: number): Promise<NaiveTfjs> {
    // The whole of tfjs, which has the gradients that tfjs-core alone has not.
    const load = createRequire(peerProduct('tfjs'))
    const tf = load('@tensorflow/tfjs') as Tfjs
    load('@tensorflow/tfjs-backend-wasm')
    await tf.setBackend('wasm')
    await tf.ready()
    return new NaiveTfjs(tf, tasks)
  }

  /** Milliseconds of one step: per-task losses, their sum, gradients, Adam. */
  async stepMs(x: Float32Array, { labels, features }: Batch): Promise<number> {
    const started = performance.now()
    const loss = this.#optimizer.minimize(() => this.#loss(x, labels.labels, features.rows), true)
    await loss?.data()
    loss?.dispose()
    return performance.now() - started
  }

  #loss(values: Float32Array, labels: Float32Array, rows: number): tfjs.Scalar {
    const tf = this.#tf
    const x = tf.tensor2d(values, [rows, FIELDS * DIM])
    const layer = (input: tfjs.Tensor2D, at: number): tfjs.Tensor2D =>
      tf.add(
        tf.matMul(input, this.#weights[at] as tfjs.Tensor as tfjs.Tensor2D),
        this.#weights[at + 1]!,
      )
    const outputs = Array.from({ length: EXPERTS }, (_, k) =>
      tf.relu(layer(tf.relu(layer(x, 4 * k)), 4 * k + 2)),
    )
    const stacked = tf.stack(outputs, 1)
    const losses = Array.from({ length: this.#tasks }, (_, task) => {
      const at = 4 * EXPERTS + 6 * task
      const gate = tf.expandDims(tf.softmax(layer(x, at)), 2)
      const mixed = tf.sum(tf.mul(stacked, gate), 1) as tfjs.Tensor2D
      const logits = layer(tf.relu(layer(mixed, at + 2)), at + 4)
      const known = tf.tensor2d(labels.subarray(task * rows, (task + 1) * rows), [rows, 1])
      const stable = tf.sub(
        tf.add(tf.relu(logits), tf.softplus(tf.neg(tf.abs(logits)))),
        tf.mul(logits, known),
      )
      return tf.mean(stable)
    })
    return losses.reduce((sum, loss) => tf.add(sum, loss)) as tfjs.Scalar
  }

  #add(...shapes: number[][]): void {
    for (const shape of shapes) {
      const deviation = shape.length === 1 ? 0 : Math.sqrt(1 / shape[0]!)
      this.#weights.push(
        this.#tf.variable(this.#tf.randomNormal(shape, 0, deviation, 'float32', 1)),
      )
    }
  }
}
