/**
 * @file Balancing at the shared parameters: one long pass per task gives its exact gradient, which is then weighed as one vector,
 * tensor by tensor, or handed whole to a method that keeps vectors (DB-MTL).
 */

import type { Balancer } from '../balance/balancer.ts'
import { perSegment } from '../balance/segments.ts'
import type { VectorBalancer } from '../balance/vector-balancer.ts'
import { sizeOf } from '../model/parameters.ts'
import {
  type Balance,
  type Balancing,
  balanceByGram,
  checkDiagonal,
  sharedSpecs,
  spreadGram,
} from './balancing.ts'
import {
  combineHeads,
  combinePrivateCut,
  type GradientValues,
  readGradients,
} from './gradient-values.ts'
import { checkPerTask, type TaskLosses } from './task-losses.ts'
import type { Gradient, TaskPasses } from './task-passes.ts'

/** The passes of one batch and what they found; tasks are the active ones, in order. */
interface ExactPasses {
  readonly passes: TaskPasses
  readonly losses: TaskLosses
  /** Per task, by the shared parameters in the order of `sharedSpecs`. */
  readonly shared: readonly (readonly Gradient[])[]
  /** Per task, by the inputs, through what tasks share. */
  readonly inputs: readonly (readonly Gradient[])[]
  /** By the inputs, through what each task owns, summed. */
  readonly ownInputs: readonly Gradient[]
  /** By the head parameters, those that tasks share summed. */
  readonly heads: readonly Gradient[]
}

/** Exact gradients, balanced as `at` says. */
export function parameterGradients(
  passes: TaskPasses,
  losses: TaskLosses,
  balancing: Balancing,
): GradientValues & Balance {
  const found = exactPasses(passes, losses)
  const { balancer, at } = balancing
  if (balancer.needs === 'gradients') return byVectors(found, balancing, balancer)
  return at === 'tensors'
    ? byTensors(found, balancing, balancer)
    : byOneVector(found, balancing, balancer)
}

function exactPasses(passes: TaskPasses, losses: TaskLosses): ExactPasses {
  const taskPasses = losses.tasks.map((task) => passes.passOf(task, losses.vars[task]!))
  const long = taskPasses.map((pass) => passes.longPass(pass.cut, []))
  return {
    passes,
    losses,
    shared: taskPasses.map((pass, i) => [
      ...(long[i]?.trunk ?? []),
      ...passes.sharedHeads.map((head) => pass.heads[head]),
    ]),
    inputs: long.map(({ inputs }) => inputs),
    ownInputs: passes.longPass([], combinePrivateCut(passes, taskPasses)).inputs,
    heads: combineHeads(
      passes,
      taskPasses,
      losses.tasks.map(() => 1),
    ),
  }
}

/** One Gram matrix of all shared parameters; x and the wide sums follow the same coefficients. */
function byOneVector(
  found: ExactPasses,
  balancing: Balancing,
  balancer: Balancer,
): GradientValues & Balance {
  const { passes, losses, shared, inputs } = found
  const gram = spreadGram(passes.tape.gramOf(shared), losses.tasks, losses.active.length)
  const balance = balanceByGram(balancer, balancing, losses, gram)
  const weights = losses.tasks.map((task) => balance.coefficients[task]!)
  const combined = {
    shared: passes.tape.combine(shared, weights),
    inputs: passes.tape.combine(inputs, weights),
  }
  return { ...valuesOf(found, combined, balancing), ...balance }
}

/** A Gram matrix, coefficients and a state for each shared tensor and each input. */
function byTensors(
  found: ExactPasses,
  balancing: Balancing,
  balancer: Balancer,
): GradientValues & Balance {
  const { passes, losses, shared, inputs } = found
  const { values, active, tasks } = losses
  const { names, states } = balancing
  const perTask = shared.map((gradients, i) => [...gradients, ...(inputs[i] ?? [])])
  const segments = (perTask[0] ?? []).map((_, s) => perTask.map((gradients) => [gradients[s]]))
  const grams = segments.map((segment) =>
    spreadGram(passes.tape.gramOf(segment), tasks, active.length),
  )
  const whole = grams.reduce((sum, gram) => sum.map((value, at) => value + gram[at]!))
  checkDiagonal(whole, names)
  const seen = { losses: values, active, step: names.step }
  const balanced = perSegment(balancer, seen, grams, states)
  for (const one of balanced.coefficients) checkPerTask(one, 'coefficient', names)
  const sums = segments.map((segment, s) => {
    const weights = tasks.map((task) => balanced.coefficients[s]?.[task] ?? 0)
    return passes.tape.combine(segment, weights)[0]
  })
  const count = shared[0]?.length ?? 0
  const combined = { shared: sums.slice(0, count), inputs: sums.slice(count) }
  return {
    ...valuesOf(found, combined, balancing),
    coefficients: mean(balanced.coefficients, active.length),
    states: balanced.states,
    gram: whole,
  }
}

/** The method gets the vectors; x, whose rows differ from batch to batch, gets the plain sum. */
function byVectors(
  found: ExactPasses,
  balancing: Balancing,
  balancer: VectorBalancer,
): GradientValues & Balance {
  const { passes, losses, shared, inputs } = found
  const { names, states } = balancing
  const { values, active, tasks } = losses
  const specs = sharedSpecs([...passes.trunk, ...passes.heads])
  const length = specs.reduce((sum, spec) => sum + sizeOf(spec), 0)
  const gradients = new Float64Array(active.length * length)
  for (const [i, task] of tasks.entries()) {
    let at = task * length
    for (const [s, spec] of specs.entries()) {
      gradients.set(passes.valuesOf(shared[i]?.[s], passes.variable(spec.name)), at)
      at += sizeOf(spec)
    }
  }
  const [before = balancer.init(active.length, length)] = states
  const seen = { gradients, losses: values, active, step: names.step }
  const { gradient, state } = balancer.combine(seen, before)
  const ones = tasks.map(() => 1)
  const rest = valuesOf(found, { shared: [], inputs: passes.tape.combine(inputs, ones) }, balancing)
  const parameters = new Map(rest.parameters)
  const resident = new Map(rest.resident)
  let at = 0
  for (const spec of specs) {
    parameters.set(spec.name, gradient.subarray(at, at + sizeOf(spec)))
    resident.delete(spec.name)
    at += sizeOf(spec)
  }
  return {
    ...rest,
    parameters,
    resident,
    coefficients: Float64Array.from(active),
    states: [state],
    gram: undefined,
  }
}

/** Arrays of everything, the shared parameters as `combined` has them. */
function valuesOf(
  { passes, losses, inputs, ownInputs, heads }: ExactPasses,
  combined: { readonly shared: readonly Gradient[]; readonly inputs: readonly Gradient[] },
  { perTask }: Balancing,
): GradientValues {
  const trunk = combined.shared.slice(0, passes.trunk.length)
  const sharedHeads = combined.shared.slice(passes.trunk.length)
  const allHeads = [...heads]
  for (const [i, head] of passes.sharedHeads.entries()) allHeads[head] = sharedHeads[i]
  return readGradients(
    passes,
    {
      heads: allHeads,
      trunk,
      inputs: passes.tape.combine([combined.inputs, ownInputs], [1, 1]),
    },
    losses.tasks,
    perTask ? inputs : [],
  )
}

function mean(vectors: readonly ArrayLike<number>[], length: number): Float64Array {
  const sum = new Float64Array(length)
  for (const vector of vectors) for (let i = 0; i < length; i++) sum[i]! += vector[i]!
  return sum.map((value) => value / vectors.length)
}
