/** @file One step of the dense weights: the norm of all gradients, clipping, Adam or plain SGD per parameter. */

import type { Model } from '../model/model.ts'
import type { Parameters } from '../model/parameters.ts'
import type { DenseKernels, Engine, FloatArray, Tensor } from '../tensors/engine.ts'
import type { DenseAdam } from './dense-adam.ts'

/** What a dense step works on. */
export interface DenseParts {
  readonly engine: Engine
  readonly model: Model
  readonly parameters: Parameters
  readonly adam: DenseAdam
  /** Largest norm of the dense gradient of a step. */
  readonly clipNorm: number
  /** Step size of parameters that ask for plain SGD (gates whose gradient carries a scale). */
  readonly sgdRate: number
}

/** Dense gradients by parameter name: as arrays, and as tensors of an engine with `dense` kernels. */
export interface DenseGradients {
  readonly parameters: ReadonlyMap<string, FloatArray>
  readonly resident: ReadonlyMap<string, Tensor>
}

/** Euclidean norm of all dense gradients together; not finite when any of their numbers is not. */
export function denseNorm(gradients: DenseGradients, kernels: DenseKernels | undefined): number {
  let sum = normOf(gradients.parameters.values()) ** 2
  for (const gradient of gradients.resident.values())
    sum += kernels?.squares(gradient) ?? Number.NaN
  return Math.sqrt(sum)
}

/** Euclidean norm over all arrays; not finite when any of their numbers is not. */
export function normOf(gradients: Iterable<FloatArray | undefined>): number {
  let sum = 0
  for (const gradient of gradients) {
    if (gradient === undefined) continue
    for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * gradient[i]!
  }
  return Math.sqrt(sum)
}

/** Steps every parameter that has a gradient; `norm` is that of all of them together; `factor` times the learning rates. */
export function denseStep(
  parts: DenseParts,
  gradients: DenseGradients,
  norm: number,
  factor: number,
): void {
  const { engine, model, parameters, adam, clipNorm, sgdRate } = parts
  const scale = norm > clipNorm ? clipNorm / norm : 1
  for (const spec of model.parameters) {
    const values = parameters.view(spec.name)
    const resident = gradients.resident.get(spec.name)
    if (resident !== undefined && engine.dense !== undefined) {
      adam.updateInside(engine.dense, spec.name, values, resident, { scale, factor })
    }
    const gradient = gradients.parameters.get(spec.name)
    if (gradient === undefined) continue
    if (spec.optimizer === 'sgd') descend(values, gradient, sgdRate * factor * scale)
    else adam.update(spec.name, values, gradient, { scale, factor })
  }
}

function descend(values: Float32Array, gradient: FloatArray, rate: number): void {
  for (let i = 0; i < values.length; i++) values[i] = values[i]! - rate * gradient[i]!
}
