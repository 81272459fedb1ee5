/** @file Per-task gradients without copying them out of the engine: their Gram matrix and their weighted combination. */

import { MillraceError } from '../errors.ts'
import type { Engine, Tensor } from './engine.ts'

/** A gradient as a backward pass returns it; undefined is exactly zero (no path). */
export type Gradient = Tensor | undefined

/** The gradients of one backward pass, in the order of the variables asked for. */
export type Gradients = readonly Gradient[]

/**
 * Row-major T x T matrix of dot products between the tasks' gradients, each a list of tensors over the same variables,
 * summed in float64 over the list. Missing gradients are zeros.
 */
export function gramOf(engine: Engine, gradients: readonly Gradients[]): Float64Array {
  const tasks = gradients.length
  const gram = new Float64Array(tasks * tasks)
  const variables = sameLength(gradients)
  for (let k = 0; k < variables; k++)
    addGram(
      engine,
      gradients.map((list) => list[k]),
      gram,
    )
  return gram
}

/** Adds one variable's dot products: the lower triangle, mirrored. */
function addGram(engine: Engine, perTask: readonly Gradient[], gram: Float64Array): void {
  const tasks = perTask.length
  const present = [...perTask.keys()].filter((task) => perTask[task] !== undefined)
  if (present.length === 0) return
  const products = engine.gram(perTask.filter((gradient) => gradient !== undefined))
  for (const [row, i] of present.entries()) {
    for (let column = 0; column <= row; column++) {
      const j = present[column]!
      const sum = gram[i * tasks + j]! + products[row * present.length + column]!
      gram[i * tasks + j] = sum
      gram[j * tasks + i] = sum
    }
  }
}

/** How many variables every list is over. */
function sameLength(gradients: readonly Gradients[]): number {
  const variables = gradients[0]?.length ?? 0
  const other = gradients.find((list) => list.length !== variables)
  if (other === undefined) return variables
  throw new MillraceError('USAGE', `gradients over ${variables} and ${other.length} variables`, {
    remedy: 'take every task gradient with respect to the same list of variables',
  })
}

/**
 * For each variable c_1 g_1 + ... + c_T g_T, inside the engine; undefined where every task's gradient is missing or has
 * coefficient 0. The tensors returned belong to the caller.
 */
export function combine(
  engine: Engine,
  gradients: readonly Gradients[],
  coefficients: ArrayLike<number>,
): Gradients {
  const variables = gradients[0]?.length ?? 0
  return Array.from({ length: variables }, (_, k) => {
    const parts: Tensor[] = []
    const factors: number[] = []
    for (let t = 0; t < gradients.length; t++) {
      const gradient = gradients[t]![k]
      const factor = coefficients[t] ?? 0
      if (gradient === undefined || factor === 0) continue
      parts.push(gradient)
      factors.push(factor)
    }
    return parts.length === 0 ? undefined : engine.weightedSum(parts, factors)
  })
}
