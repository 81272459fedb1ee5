/**
 * @file Will an impression without feedback so far stay without? Per task a logistic model over the features, trained on rows
 * whose labels have matured: the auxiliary heads of ES-DFM (Yang et al. 2021, section 4.3, p_rn). Its estimates weigh
 * provisional negatives (corrected-loss.ts).
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { EncodedFeatures } from '../features/encoded-batch.ts'
import { mix32 } from '../random.ts'
import type { Sample } from '../samples/sample.ts'
import type { Stage } from '../stage.ts'

/** Weights per task: keys share them by hash, which an estimate of a weight can bear. */
const WEIGHTS = 2 ** 15
const RATE = 0.15
const EPSILON = 1e-6

/** Heads apart from the model, so that its trunk is not bent by them. */
export class RealNegatives implements Stage {
  readonly #tasks: number
  readonly #weights: Float32Array
  /** Adagrad: sums of squared gradients. */
  readonly #squares: Float32Array
  /** Per task: matured rows that stayed negative, and that did not. */
  readonly #counts: Float64Array

  constructor(tasks: number) {
    this.#tasks = tasks
    this.#weights = new Float32Array(tasks * WEIGHTS)
    this.#squares = new Float32Array(tasks * WEIGHTS)
    this.#counts = new Float64Array(tasks * 2)
  }

  /** Probability per task and row that a negative stays one, task-major; 1 for a task of which nothing has matured yet. */
  estimate(features: EncodedFeatures): Float32Array {
    const { rows } = features
    const estimates = new Float32Array(this.#tasks * rows)
    for (let row = 0; row < rows; row++) {
      const inputs = inputsOf(features, row)
      for (let task = 0; task < this.#tasks; task++) {
        const seen = this.#counts[task * 2]! + this.#counts[task * 2 + 1]! > 0
        estimates[task * rows + row] = seen ? sigmoid(this.#logit(task, inputs)) : 1
      }
    }
    return estimates
  }

  /** Learns from matured rows; what was positive in the provisional row already was never a negative and is left out. */
  learn(features: EncodedFeatures, samples: readonly Sample[]): void {
    for (const [row, { mask, labels, late }] of samples.entries()) {
      const inputs = inputsOf(features, row)
      for (let task = 0; task < this.#tasks; task++) {
        const wasPositive = labels[task]! > 0 && late[task] !== 1
        if (mask[task] !== 1 || wasPositive) continue
        this.#step(task, inputs, late[task] === 1 ? 0 : 1)
      }
    }
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(this.#weights.byteLength * 2 + 64).text('real-negatives 1')
    return writer.array(this.#counts).array(this.#weights).array(this.#squares).finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('real-negatives 1')
    const counts = reader.float64()
    const weights = reader.float32()
    const squares = reader.float32()
    reader.end()
    if (counts.length !== this.#counts.length || weights.length !== squares.length) {
      throw new MillraceError('CORRUPT', `heads of ${counts.length / 2} tasks for ${this.#tasks}`)
    }
    this.#counts.set(counts)
    this.#weights.set(weights)
    this.#squares.set(squares)
  }

  /** The base rate carries what all rows share, so that the weights only say how a row differs. */
  #logit(task: number, { places, values }: Inputs): number {
    let z = Math.log((this.#counts[task * 2]! + 1) / (this.#counts[task * 2 + 1]! + 1))
    for (let i = 0; i < places.length; i++) {
      z += this.#weights[task * WEIGHTS + places[i]!]! * values[i]!
    }
    return z
  }

  #step(task: number, { places, values }: Inputs, target: 0 | 1): void {
    const error = sigmoid(this.#logit(task, { places, values })) - target
    for (let i = 0; i < places.length; i++) {
      const at = task * WEIGHTS + places[i]!
      const gradient = error * values[i]!
      this.#squares[at]! += gradient * gradient
      this.#weights[at]! -= (RATE * gradient) / Math.sqrt(this.#squares[at]! + EPSILON)
    }
    this.#counts[task * 2 + (1 - target)]! += 1
  }
}

/** Places of a row's weights and what each is multiplied by: 1 over the bag's size for a key, the number for a dense input. */
interface Inputs {
  readonly places: Uint32Array
  readonly values: Float64Array
}

function inputsOf({ slots, dense, denseWidth }: EncodedFeatures, row: number): Inputs {
  const places: number[] = []
  const values: number[] = []
  for (const { hi, lo, starts } of slots) {
    const from = starts[row]!
    const to = starts[row + 1]!
    for (let key = from; key < to; key++) {
      places.push(mix32(hi[key]! ^ mix32(lo[key]!)) % WEIGHTS)
      values.push(1 / (to - from))
    }
  }
  for (let column = 0; column < denseWidth; column++) {
    places.push(mix32(column) % WEIGHTS)
    values.push(dense[row * denseWidth + column]!)
  }
  return { places: Uint32Array.from(places), values: Float64Array.from(values) }
}

function sigmoid(z: number): number {
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z))
}
