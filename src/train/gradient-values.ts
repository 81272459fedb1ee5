/** @file Gradients out of the engine: from tensors in the order of the passes' lists to arrays by parameter name, input and task. */

import type { ParameterSpec } from '../model/model.ts'
import type { FloatArray, Tensor } from '../tensors/engine.ts'
import { normOf } from './dense-step.ts'
import type { Gradient, TaskPass, TaskPasses } from './task-passes.ts'

/** The gradients of one batch as arrays. */
export interface GradientValues {
  /** By parameter name; a parameter that no loss reached is absent. */
  readonly parameters: ReadonlyMap<string, FloatArray>
  /** By parameter name: those that stay in the engine, which can step with them; as long as the passes live. */
  readonly resident: ReadonlyMap<string, Tensor>
  /** By x, and by the wide sums where there are any; absent: exactly zero. */
  readonly inputs: readonly (FloatArray | undefined)[]
  /** Euclidean norm of `inputs`; not finite when one of their numbers is not. */
  readonly inputNorm: number
  /** By x, of each task's loss through what tasks share, in task order, unscaled; empty unless asked for. */
  readonly taskInputs: readonly (FloatArray | undefined)[]
}

/** Combined gradients, each list in the order of the passes' list of that name. */
export interface Combined {
  readonly heads: readonly Gradient[]
  readonly trunk: readonly Gradient[]
  readonly inputs: readonly Gradient[]
}

/**
 * Reads every gradient once, but for those that the engine can step with by itself. `tasks` are those with a loss; a parameter that another task owns is left out even where a path with
 * zeros leads to it, so that its optimizer does not move. `taskInputs`: gradients of the inputs for each of `tasks`.
 */
export function readGradients(
  passes: TaskPasses,
  combined: Combined,
  tasks: readonly number[],
  taskInputs: readonly (readonly Gradient[])[] = [],
): GradientValues {
  const parameters = new Map<string, FloatArray>()
  const resident = new Map<string, Tensor>()
  const take = (specs: readonly ParameterSpec[], gradients: readonly Gradient[]): void => {
    for (const [i, { name, owner, optimizer }] of specs.entries()) {
      const gradient = gradients[i]
      if (gradient === undefined || (owner !== 'shared' && !tasks.includes(owner))) continue
      if (passes.keepsGradients && optimizer !== 'sgd') resident.set(name, gradient)
      else parameters.set(name, passes.valuesOf(gradient, passes.variable(name)))
    }
  }
  take(passes.heads, combined.heads)
  take(passes.trunk, combined.trunk)
  const values = (gradient: Gradient, i: number, into?: FloatArray): FloatArray | undefined => {
    const of = passes.inputs[i]
    if (gradient === undefined || of === undefined) return undefined
    return passes.valuesOf(gradient, of, into)
  }
  const inputs = combined.inputs.map((gradient, i) =>
    values(gradient, i, i === 0 ? passes.dx : undefined),
  )
  return {
    parameters,
    resident,
    inputs,
    inputNorm: passes.normInside(combined.inputs) ?? normOf(inputs),
    taskInputs: inTaskOrder(
      passes.forward.logits.length,
      tasks,
      taskInputs.map((inputs) => values(inputs[0], 0)),
    ),
  }
}

/** Empty where there is nothing per task. */
function inTaskOrder(
  count: number,
  tasks: readonly number[],
  values: readonly (FloatArray | undefined)[],
): (FloatArray | undefined)[] {
  if (values.length === 0) return []
  const ordered = new Array<FloatArray | undefined>(count).fill(undefined)
  for (const [i, task] of tasks.entries()) ordered[task] = values[i]
  return ordered
}

/** A head parameter gets sum_t c_t g_t when tasks share it, its own task's gradient when they do not. */
export function combineHeads(
  passes: TaskPasses,
  taskPasses: readonly TaskPass[],
  weights: readonly number[],
): Gradient[] {
  return passes.heads.map((spec, i) => {
    const perTask = taskPasses.map((pass) => [pass.heads[i]])
    const coefficients = spec.owner === 'shared' ? weights : weights.map(() => 1)
    return passes.tape.combine(perTask, coefficients)[0]
  })
}

/** The sum over tasks of what only one of them reaches at the private cut. */
export function combinePrivateCut(
  passes: TaskPasses,
  taskPasses: readonly TaskPass[],
): readonly Gradient[] {
  return passes.tape.combine(
    taskPasses.map((pass) => pass.privateCut),
    taskPasses.map(() => 1),
  )
}
