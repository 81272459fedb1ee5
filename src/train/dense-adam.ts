/**
 * @file Adam for the dense parameters (Kingma and Ba 2015, algorithm 1), on typed arrays, its moments kept by parameter name:
 * a parameter without a gradient in a step keeps its moments, whatever the others do.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Stage } from '../stage.ts'
import type { AdamStep, DenseKernels, Tensor } from '../tensors/engine.ts'

/** Hyper-parameters with the paper's symbols. */
export interface AdamOptions {
  /** Step size, alpha. */
  readonly learningRate: number
  /** Decay of the first moment, beta_1. */
  readonly beta1: number
  /** Decay of the second moment, beta_2. */
  readonly beta2: number
  /** Added to the root of the second moment. */
  readonly epsilon: number
}

/** What one step is multiplied by; 1 unless given. */
export interface StepScaling {
  /** The gradient: below 1 where it is clipped. */
  readonly scale?: number
  /** The learning rate. */
  readonly factor?: number
}

interface Moments {
  readonly mean: Float32Array // m, first moment
  readonly square: Float32Array // v, second moment
  steps: number // t, of this parameter
}

/** Updates parameters in place. */
export class DenseAdam implements Stage {
  readonly #options: AdamOptions
  readonly #moments = new Map<string, Moments>()

  constructor(options: AdamOptions) {
    this.#options = options
  }

  /** One step of one parameter: `values -= factor * alpha * mHat / (sqrt(vHat) + epsilon)`, with `gradient * scale` as its gradient. */
  update(
    name: string,
    values: Float32Array,
    gradient: ArrayLike<number>,
    { scale = 1, factor = 1 }: StepScaling = {},
  ): void {
    const moments = this.#advance(name, values.length)
    const { mean, square } = moments
    const { beta1, beta2, rate, floor } = this.#constants(moments, factor)
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i]! * scale
      const m = beta1 * mean[i]! + (1 - beta1) * g
      const v = beta2 * square[i]! + (1 - beta2) * g * g
      mean[i] = m
      square[i] = v
      values[i] = values[i]! - (rate * m) / (Math.sqrt(v) + floor)
    }
  }

  /** The same step by the engine that holds the gradient, in float32. */
  updateInside(
    kernels: DenseKernels,
    name: string,
    values: Float32Array,
    gradient: Tensor,
    { scale = 1, factor = 1 }: StepScaling = {},
  ): void {
    const moments = this.#advance(name, values.length)
    const { mean, square } = moments
    const constants = this.#constants(moments, factor)
    kernels.adam({ values, mean, square }, gradient, { ...constants, scale })
  }

  snapshot(): Uint8Array {
    const names = [...this.#moments.keys()].sort()
    const writer = new ByteWriter().u32(names.length)
    for (const name of names) {
      const moments = this.#moments.get(name)
      if (moments === undefined) continue
      writer.text(name).f64(moments.steps).array(moments.mean).array(moments.square)
    }
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.#moments.clear()
    for (let left = reader.u32(); left > 0; left--) {
      const name = reader.text()
      const steps = reader.f64()
      this.#moments.set(name, { steps, mean: reader.float32(), square: reader.float32() })
    }
  }

  /** The bias corrections are folded into rate and floor. */
  #constants({ steps }: Moments, factor: number): Omit<AdamStep, 'scale'> {
    const { learningRate, beta1, beta2, epsilon } = this.#options
    const correction = Math.sqrt(1 - beta2 ** steps)
    const rate = (learningRate * factor * correction) / (1 - beta1 ** steps)
    return { beta1, beta2, rate, floor: epsilon * correction }
  }

  #advance(name: string, length: number): Moments {
    let moments = this.#moments.get(name)
    if (moments === undefined) {
      moments = { mean: new Float32Array(length), square: new Float32Array(length), steps: 0 }
      this.#moments.set(name, moments)
    }
    if (moments.mean.length !== length) {
      throw new MillraceError(
        'BAD_STATE',
        `parameter ${name} has ${length} values, its optimizer state ${moments.mean.length}`,
        { remedy: 'the model section changed since the checkpoint: start a new state folder' },
      )
    }
    moments.steps++
    return moments
  }
}
