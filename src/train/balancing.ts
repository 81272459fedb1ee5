/** @file What a step knows of balancing, and the coefficients of one Gram matrix: the learner's side of the balancer contracts. */

import type { Balancer, BalancerState } from '../balance/balancer.ts'
import type { AnyBalancer } from '../balance/balancers.ts'
import { initSegments } from '../balance/segments.ts'
import { MillraceError } from '../errors.ts'
import type { Model, ParameterSpec } from '../model/model.ts'
import { countValues } from '../model/parameters.ts'
import { checkPerTask, type StepNames, type TaskLosses } from './task-losses.ts'

/**
 * Where task gradients are compared: at the cut (cheap); at the shared parameters as one vector (exact: one long pass per task);
 * or at each shared tensor by itself, as the papers of MetaBalance and GradVac do, x standing for the embedding table.
 */
export type GradientPlace = 'representation' | 'parameters' | 'tensors'

/** What a step needs to know of balancing. */
export interface Balancing {
  readonly balancer: AnyBalancer
  /** One, or one per tensor. */
  readonly states: readonly BalancerState[]
  readonly at: GradientPlace
  /** Whether the gradient by x is also wanted task by task: costs a pass through the trunk for each. */
  readonly perTask: boolean
  /** Whether what is made of the gradients by x task by task takes the place of the combined one, which then is left out. */
  readonly replacesInput: boolean
  readonly names: StepNames
}

/** What a balancer made of one batch. */
export interface Balance {
  /** Per task; their mean over the tensors where each has its own. */
  readonly coefficients: Float64Array
  readonly states: readonly BalancerState[]
  /** Gram matrix of the task gradients, row-major T x T, where the balancer needed one. */
  readonly gram: Float64Array | undefined
}

/** First states; BAD_SETTINGS when the balancer cannot work at this place. */
export function initialStates(
  balancer: AnyBalancer,
  at: GradientPlace,
  model: Model,
): readonly BalancerState[] {
  const tasks = model.shape.tasks.length
  const shared = model.parameters.filter((spec) => spec.owner === 'shared')
  if (balancer.needs === 'gradients') {
    checkPlace(balancer, at)
    return [balancer.init(tasks, countValues(shared))]
  }
  if (balancer.needs === 'losses' || at !== 'tensors') return [balancer.init(tasks)]
  return initSegments(balancer, tasks, shared.length + inputCount(model))
}

/** A method that keeps gradient vectors needs the same vector at every step: the shared parameters. */
export function checkPlace(balancer: AnyBalancer, at: GradientPlace): void {
  if (balancer.needs !== 'gradients' || at === 'parameters') return
  throw new MillraceError(
    'BAD_SETTINGS',
    `balance of kind ${balancer.name} keeps gradient vectors, which train.gradients_at: ${at} does not have`,
    { remedy: 'set train.gradients_at: parameters' },
  )
}

/** x, and the wide sums where the model has them. */
function inputCount(model: Model): number {
  return model.wide ? 2 : 1
}

/** The coefficients by one Gram matrix (undefined: by the losses alone); NUMERIC when a number is not finite. */
export function balanceByGram(
  balancer: Balancer,
  { states, names }: Balancing,
  { values, active }: TaskLosses,
  gram: Float64Array | undefined,
): Balance {
  const tasks = active.length
  if (gram !== undefined) checkDiagonal(gram, names)
  const seen = { losses: values, gram: gram ?? new Float64Array(tasks ** 2), active }
  const [before = balancer.init(tasks)] = states
  const { coefficients, state } = balancer.coefficients({ ...seen, step: names.step }, before)
  checkPerTask(coefficients, 'coefficient', names)
  return { coefficients, states: [state], gram }
}

/** NUMERIC when a task's squared gradient norm is not finite. */
export function checkDiagonal(gram: Float64Array, names: StepNames): void {
  const tasks = names.tasks.length
  const norms = names.tasks.map((_, task) => gram[task * tasks + task]!)
  checkPerTask(norms, 'squared gradient norm', names)
}

/** A Gram matrix of some tasks as one of all `count` tasks, zeros elsewhere. */
export function spreadGram(
  gram: Float64Array,
  tasks: readonly number[],
  count: number,
): Float64Array {
  const whole = new Float64Array(count * count)
  for (const [i, row] of tasks.entries()) {
    for (const [j, column] of tasks.entries()) {
      whole[row * count + column] = gram[i * tasks.length + j]!
    }
  }
  return whole
}

/** The specs that balancers see, in the order of the learner's segments: shared trunk, then shared heads. */
export function sharedSpecs(specs: readonly ParameterSpec[]): ParameterSpec[] {
  const shared = specs.filter((spec) => spec.owner === 'shared')
  return [
    ...shared.filter((spec) => spec.place === 'trunk'),
    ...shared.filter((spec) => spec.place === 'head'),
  ]
}

/** Cosines between the gradients of a T x T Gram matrix, row-major; 0 beside a gradient of length 0. */
export function cosinesOf(gram: Float64Array): Float64Array {
  const tasks = Math.sqrt(gram.length)
  return gram.map((product, at) => {
    const row = Math.floor(at / tasks)
    const column = at % tasks
    const norms = Math.sqrt(gram[row * tasks + row]! * gram[column * tasks + column]!)
    return norms > 0 ? product / norms : 0
  })
}
